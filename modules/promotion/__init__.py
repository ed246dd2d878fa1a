"""Promotions and campaigns."""

from __future__ import annotations

from ...core.service.module import Module
from .service import PromotionService
from .tables import SCHEMA

MODULE = Module(name="promotion", schema=SCHEMA, service=PromotionService, package=__name__, caching="rows")
