"""Stock locations: warehouses, shops, wherever stock lies."""

from __future__ import annotations

from ...core.service.module import Module
from .service import StockLocationService
from .tables import SCHEMA

MODULE = Module(name="stock_location", schema=SCHEMA, service=StockLocationService, package=__name__, caching="rows")
