"""Orders: what was bought, and what became of it."""

from __future__ import annotations

from ...core.service.module import Module
from .schema import SCHEMA
from .service import OrderService

MODULE = Module(name="order", schema=SCHEMA, service=OrderService, package=__name__)
