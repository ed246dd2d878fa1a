"""Orders: what was bought, and what became of it."""

from __future__ import annotations

from ...core.module import Module
from .service import OrderService
from .tables import SCHEMA

MODULE = Module(name="order", schema=SCHEMA, service=OrderService, package=__name__)
