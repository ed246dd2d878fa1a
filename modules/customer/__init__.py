"""Customers: guests and registered ones, their addresses and groups."""

from __future__ import annotations

from ...core.service.module import Module
from .service import CustomerService
from .tables import SCHEMA

MODULE = Module(name="customer", schema=SCHEMA, service=CustomerService, package=__name__, caching="rows")
