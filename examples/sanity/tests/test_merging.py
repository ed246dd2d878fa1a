"""Who has changed a text, and what follows."""

from __future__ import annotations

import pytest
from velella_sanity.merging import COLUMNS, merged

PRODUCT = {**dict.fromkeys(COLUMNS), "id": "prod_1", "title": "Lamp"}
SHOP = {"title": "Lamp", "isDeleted": False}


@pytest.mark.parametrize(
    ("agreed", "theirs", "ours", "mine", "put", "edit"),
    [
        ("A", "A", "A", None, None, None),
        ("A", "B", "A", None, None, "B"),  # an editor
        ("A", "A", "B", None, {"description": "B", "shop": {**SHOP, "description": "B"}}, None),  # the shop
        ("A", "B", "C", None, {"description": "C", "shop": {**SHOP, "description": "C"}}, None),  # both
        ("A", "B", "B", "B", {"shop": {**SHOP, "description": "B"}}, None),  # it has arrived
        ("A", "C", "B", "B", None, "C"),  # while it was under way there was another one
        ("C", "C", "B", "B", None, "C"),  # which was faster: nothing of it is the shop's
        ("A", None, "A", None, None, None),  # an editor removes it: see below
        (None, "B", None, None, None, "B"),
        ("A", ["blocks"], "A", None, {"description": "A"}, None),  # what the shop can't have
    ],
)
def test_a_text_is_theirs_or_ours(
    agreed: str | None, theirs: object, ours: str | None, mine: str | None, put: object, edit: str | None
) -> None:
    shop = {**SHOP, "description": agreed} if agreed is not None else SHOP
    document: dict[str, object] = {"_id": "prod_1", "_rev": "1", "title": "Lamp", "shop": shop}
    if theirs is not None:
        document["description"] = theirs
    just = {"description": mine} if mine is not None else None
    mutation, edits = merged({**PRODUCT, "description": ours}, document, "product", just)
    expected = {"patch": {"id": "prod_1", "ifRevisionID": "1", "set": put}} if put is not None else None
    assert mutation == expected
    if theirs is None and agreed is not None:
        assert edits == {"id": "prod_1", "description": None}
    else:
        assert edits == ({"id": "prod_1", "description": edit} if edit is not None else None)


def test_a_deleted_product_takes_nothing_and_makes_no_document() -> None:
    gone = {**PRODUCT, "deleted_at": "2026-01-01T00:00:00.000Z"}
    assert merged(gone, None, "product") == (None, None)
    mutation, edits = merged(gone, {"_id": "prod_1", "_rev": "1", "title": "Lantern", "shop": SHOP}, "product")
    assert (mutation, edits) == (
        {"patch": {"id": "prod_1", "ifRevisionID": "1", "set": {"title": "Lamp", "shop": {**SHOP, "isDeleted": True}}}},
        None,
    )
