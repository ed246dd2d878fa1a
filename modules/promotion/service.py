"""The service of the promotion module."""

from __future__ import annotations

from typing import ClassVar

from .changes import Changes
from .tables import SCHEMA


class PromotionService(Changes):
    """Promotions: discounts on carts, their conditions, and their limits."""

    name: ClassVar[str] = "promotion"
    schema = SCHEMA
