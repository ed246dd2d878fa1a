"""What stands in an address, whoever has it: a cart, an order, a customer, a fulfilment."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Text

FIELDS = ("company", "first_name", "last_name", "address_1", "address_2", "city", "country_code", "province", "postal_code", "phone")
"""Names of its columns, besides its ids and its `metadata`."""


def address_columns() -> list[Column[Any]]:
    """Columns of these names, for the table of addresses of a module."""
    return [Column(name, Text) for name in FIELDS]
