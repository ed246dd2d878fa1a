"""What a request may see of an entity: the grammar of `fields` and its guards."""

from __future__ import annotations

import pytest

from velella.core.errors import InvalidData
from velella.http.kit import View

VIEW = View("product", "id title handle *variants *variants.options type.value")
GUARDED = View("product", "id title *variants", allowed="id title handle variants variants.sku collection orders")


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        (None, "id title handle *variants *variants.options type.value"),
        ("title", "title id"),
        ("title,handle", "title handle id"),
        ("", "id"),
        ("+subtitle", "id title handle *variants *variants.options type.value subtitle"),
        (" subtitle", "id title handle *variants *variants.options type.value subtitle"),
        ("*images", "id title handle *variants *variants.options type.value *images"),
        ("images.*", "id title handle *variants *variants.options type.value *images"),
        ("-variants", "id title handle type.value"),
        ("-*variants", "id title handle type.value"),
        ("-variants.options", "id title handle *variants type.value"),
        ("-type,-handle,+subtitle", "id title *variants *variants.options subtitle"),
        ("title,*images,+subtitle", "title *images subtitle id"),
    ],
)
def test_fields_add_to_the_defaults_or_replace_them(asked: str | None, fields: str) -> None:
    assert VIEW.fields(asked) == tuple(fields.split())


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ("+handle", "id title *variants handle"),
        ("+metadata", "id title *variants"),
        ("handle,secret", "handle id"),
        ("+variants.sku", "id title *variants variants.sku"),
        ("+variants.prices", "id title *variants"),
        ("*collection", "id title *variants *collection"),
        ("*collection.products", "id title *variants"),
        ("+orders", "id title *variants orders"),
    ],
)
def test_what_is_not_allowed_is_dropped(asked: str, fields: str) -> None:
    assert GUARDED.fields(asked, restricted=frozenset(("orders",)), depth=3) == tuple(fields.split())


@pytest.mark.parametrize("asked", ["+orders", "*customer.orders", "+order.id", "+a.Orders.b", "+\uff4frders.id", "+a.\torders .b"])
def test_restricted_segments_are_dropped_where_nothing_is_allowed_expressly(asked: str) -> None:
    assert VIEW.fields(asked, restricted=frozenset(("order", "orders")), depth=5) == VIEW.defaults


def test_names_that_merely_contain_a_restricted_one_pass() -> None:
    assert "order_id" in VIEW.fields("+order_id", restricted=frozenset(("order",)))


def test_disallowed_segments_are_dropped_also_where_they_are_allowed() -> None:
    assert "orders" not in GUARDED.but(disallowed="orders").fields("+orders")


@pytest.mark.parametrize("asked", ["+a.b.c.d.e", "*a.b.c.d", "a.b.c.d.*"])
def test_deep_paths_are_refused_in_the_store(asked: str) -> None:
    with pytest.raises(InvalidData, match="expand more than the maximum of 3 allowed relations"):
        VIEW.fields(asked, depth=3)
    assert VIEW.fields(asked)  # elsewhere nobody minds


def test_a_view_may_set_its_own_depth() -> None:
    deeper = VIEW.but(relations_limit=4)
    assert deeper.fields("*a.b.c.d", depth=3)
    with pytest.raises(InvalidData):
        deeper.fields("*a.b.c.d.e", depth=3)


def test_the_key_is_always_shown() -> None:
    assert View("currency", "code name", plural="currencies").fields("name", key="code") == ("name", "code")
