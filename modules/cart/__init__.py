"""Carts: what a buyer is about to order."""

from __future__ import annotations

from ...core.service.module import Module
from .service import CartService
from .tables import SCHEMA

MODULE = Module(name="cart", schema=SCHEMA, service=CartService, package=__name__)
