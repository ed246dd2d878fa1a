"""The service of the promotion module."""

from __future__ import annotations

from typing import ClassVar

from .changes import Changes
from .tables import SCHEMA


class PromotionService(Changes):
    """Promotions: what makes a cart cheaper, for whom, and how often."""

    name: ClassVar[str] = "promotion"
    schema = SCHEMA
