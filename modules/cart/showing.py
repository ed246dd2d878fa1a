"""Carts in memory, as a query would show them: with the totals that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...commerce.totalled import CART, totalled
from ...commerce.types import Cart
from ...core.rows import Row
from ...core.sql.read.documents import Documents
from ...core.sql.schema.catalog import Catalog
from .tables import SCHEMA

_DOCUMENTS = Documents(Catalog(SCHEMA))


def shown(carts: Sequence[Cart], fields: Sequence[str]) -> list[Row] | None:
    """What a client's query for these fields gives of whole carts; None where the query needs other rows. The carts aren't changed."""
    plan = totalled(CART, tuple(fields))
    whole: Sequence[Any] = carts
    rows = _DOCUMENTS.shown(SCHEMA["cart"], whole, plan.fields if plan is not None else fields)
    return plan.finish(rows) if plan is not None and rows is not None else rows
