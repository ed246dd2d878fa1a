"""Carts that are in hand, as a query would show them: with the totals that are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from ...commerce.totalled import CART, totalled
from ...core.rows import Row
from ...core.sql.read.documents import Documents
from ...core.sql.schema.catalog import Catalog
from .tables import SCHEMA

_DOCUMENTS = Documents(Catalog(SCHEMA))


def shown(carts: Sequence[Row], fields: Sequence[str]) -> list[Row] | None:
    """What a client's query for these fields gives of whole carts; None where it takes more than these. The carts stay as they are."""
    plan = totalled(CART, tuple(fields))
    rows = _DOCUMENTS.shown(SCHEMA["cart"], carts, plan.fields if plan is not None else fields)
    return plan.finish(rows) if plan is not None and rows is not None else rows
