"""Categories as a merchant looks at them."""

from __future__ import annotations

from velella.core.ids import ulid

from .conftest import Merchant

CATEGORIES = "/admin/product-categories"


async def test_roots_are_those_whose_parent_is_null(merchant: Merchant) -> None:
    root = (await merchant.post(CATEGORIES, {"name": f"Lights {ulid()}"}))["product_category"]["id"]
    child = (await merchant.post(CATEGORIES, {"name": f"Lanterns {ulid()}", "parent_category_id": root}))["product_category"]["id"]
    # the second is how the dashboard fills its field for categories
    for tree in ({}, {"include_descendants_tree": "true"}):
        roots = (await merchant.get(CATEGORIES, parent_category_id="null", limit="1000", **tree))["product_categories"]
        assert root in {row["id"] for row in roots}
        assert {row["parent_category_id"] for row in roots} == {None}
    shown = next(row for row in roots if row["id"] == root)
    assert [row["id"] for row in shown["category_children"]] == [child]
    assert [row["id"] for row in (await merchant.get(CATEGORIES, parent_category_id=root))["product_categories"]] == [child]
