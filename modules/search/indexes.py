"""The indexes that a shop has: which fields their documents have, and what may be done with each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Literal

Weight = Literal["A", "B", "C", "D"]
"""How much a word counts that is found in a field: most in A."""


@dataclass(frozen=True, slots=True)
class IndexField:
    """One field of an index's documents."""

    name: str
    type: Literal["string", "number", "boolean", "date"] = "string"
    weight: Weight | None = None
    """Words are searched in it. None: they aren't."""
    filterable: bool = False
    sortable: bool = False
    facetable: bool = False
    open: bool = False
    """An object: what it has is named behind a dot (`prices.eur`)."""
    store: bool = True
    """Whether storefronts may see it, and ask by it."""


@dataclass(frozen=True)
class IndexDefinition:
    name: str
    entity: str
    fields: tuple[IndexField, ...] = field(default=())

    def field(self, path: str) -> IndexField | None:
        """The field that a path leads to; None where there is none."""
        name, dot, rest = path.partition(".")
        found = next((each for each in self.fields if each.name == name), None)
        return found if found is not None and found.open == bool(dot and rest) else None

    @cached_property
    def hash(self) -> str:
        """Changes with the definition: an index that was built by another one is built anew."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def _group(name: str, weight: Weight, *, sortable: bool = False) -> IndexField:
    return IndexField(name, weight=weight, filterable=True, facetable=True, sortable=sortable)


PRODUCT = IndexDefinition(
    "product",
    "product",
    (
        IndexField("id", filterable=True),
        IndexField("title", weight="A", filterable=True, sortable=True),
        IndexField("subtitle", weight="B"),
        IndexField("description", weight="D"),
        IndexField("handle", weight="B", filterable=True, sortable=True),
        IndexField("thumbnail"),
        IndexField("status", filterable=True, facetable=True, store=False),
        IndexField("sales_channel_ids", filterable=True, facetable=True, store=False),
        _group("type", "B", sortable=True),
        IndexField("type_id", filterable=True, facetable=True),
        _group("collection", "B", sortable=True),
        IndexField("collection_id", filterable=True, facetable=True),
        _group("tags", "C"),
        IndexField("tag_ids", filterable=True, facetable=True),
        _group("categories", "C"),
        IndexField("category_ids", filterable=True, facetable=True),
        IndexField("options", weight="C", filterable=True, facetable=True, open=True),
        IndexField("variant_titles", weight="B"),
        IndexField("skus", weight="B", filterable=True),
        IndexField("barcodes", weight="B", filterable=True),
        IndexField("prices", "number", filterable=True, sortable=True, facetable=True, open=True),
        IndexField("created_at", "date", filterable=True, sortable=True, facetable=True),
        IndexField("updated_at", "date", filterable=True, sortable=True, facetable=True),
    ),
)

INDEXES = {each.name: each for each in (PRODUCT,)}
