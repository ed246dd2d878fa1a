"""Collections in memory, as a query would show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.rows import Row
from ...core.sql.read.documents import Documents
from ...core.sql.schema.catalog import Catalog
from .tables import SCHEMA
from .types import PaymentCollection

_DOCUMENTS = Documents(Catalog(SCHEMA))


def shown(collections: Sequence[PaymentCollection], fields: Sequence[str]) -> list[Row] | None:
    """What a client's query for these fields gives of whole collections; None where the query needs other rows. They aren't changed."""
    rows: Sequence[Any] = collections
    return _DOCUMENTS.shown(SCHEMA["payment_collection"], rows, fields)
