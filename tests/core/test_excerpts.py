"""Rows with fewer fields out of rows with more, as the database would show them."""

from __future__ import annotations

import pytest

from velella.actors.caching.excerpts import excerpt
from velella.core.sql.schema.catalog import Catalog
from velella.modules.product.entities import SCHEMA

CATALOG = Catalog(SCHEMA)
MORE = ("*", "product.*", "product.tags.id", "product.type.id", "product.type.value", "options.id", "options.option.*")


@pytest.mark.parametrize(
    "field", ["product.variants.id", "product.type.metadata", "product.tags.value", "product.type", "images.id", "options.value"]
)
def test_a_field_that_is_missing_anywhere_makes_no_excerpt(field: str) -> None:
    assert excerpt(CATALOG, "product_variant", ("id", field), MORE) is None


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (("sku",), {"sku": "A", "id": "v"}),
        (
            ("id", "product.type.value"),
            {"id": "v", "product_id": "p", "product": {"id": "p", "type": {"value": "x"}}},
        ),
        (("id", "product.tags.id"), {"id": "v", "product_id": "p", "product": {"id": "p", "tags": [{"id": "a"}, {"id": "b"}]}}),
    ],
)
def test_an_excerpt_shows_what_is_asked_for(fields: tuple[str, ...], shown: dict[str, object]) -> None:
    made = excerpt(CATALOG, "product_variant", fields, MORE)
    assert made is not None
    row = {
        "id": "v", "sku": "A", "product_id": "p", "options": [],
        "product": {"id": "p", "title": "T", "type_id": "t", "type": {"id": "t", "value": "x"}, "tags": [{"id": "a"}, {"id": "b"}]},
    }  # fmt: skip
    assert made(row) == shown
