"""Who has changed a text since the shop and Sanity last agreed, and what follows. Pure.

A document has the texts that editors may change, and under `shop` what the shop said last, which they may not:

    {_id: "prod_…", _type: "product", title: "Harbour lamp", subtitle: …, description: …, body: […], translations: […],
     shop: {title: "Lamp", subtitle: …, description: …, handle: "lamp", status: "published", thumbnail: …, isDeleted: false}}

A text that differs from the one under `shop` was changed by an editor; if the one under `shop` differs from the shop's, by the shop. The
shop wins where both did. Afterwards all three agree, so what either side hears of its own change leads to nothing.
"""

from __future__ import annotations

from typing import Any

from velella.core.rows import Row

from .client import Document

SHARED = ("title", "subtitle", "description")
"""What both sides may change."""
SHOPS = ("handle", "status", "thumbnail")
"""What editors only see."""
COLUMNS = ("id", *SHARED, *SHOPS, "deleted_at")


def merged(product: Row, document: Document | None, type: str, mine: Row | None = None) -> tuple[Document | None, Row | None]:
    """The mutation that brings a document up to date, and what is to change of the product; None: nothing.

    `product` has its `COLUMNS`; `mine` is what the caller has just changed of it, which is no change of the shop's. The mutation is refused
    by Sanity if the document isn't `document` any more.
    """
    shop = {name: product[name] for name in (*SHARED, *SHOPS)} | {"isDeleted": product["deleted_at"] is not None}
    if document is None:
        said = {"_id": product["id"], "_type": type, **{name: shop[name] for name in SHARED}, "shop": _without_none(shop)}
        return (None if shop["isDeleted"] else {"create": _without_none(said)}), None
    before, put, edits = document.get("shop") or {}, Document(), Row()
    for name in SHARED:
        theirs, ours = document.get(name), product[name]
        if theirs == ours:
            continue
        shop_has_changed_it = ours != before.get(name) and ours != (mine or {}).get(name, before.get(name))
        if shop_has_changed_it or shop["isDeleted"] or not _is_text(name, theirs):
            put[name] = ours
        else:
            edits[name] = theirs
            shop[name] = before.get(name)  # it isn't agreed upon before the shop has it
    if before != (agreed := _without_none(shop)):
        put["shop"] = agreed
    return _patch(document, put), ({"id": product["id"], **edits} if edits else None)


def _is_text(name: str, value: Any) -> bool:
    """Whether the shop can have it: a product has a title."""
    return isinstance(value, str) and bool(value.strip()) if name == "title" else value is None or isinstance(value, str)


def _patch(document: Document, put: Document) -> Document | None:
    if not put:
        return None
    gone = [name for name, value in put.items() if value is None]
    changes = {"set": _without_none(put), "unset": gone}
    return {"patch": {"id": document["_id"], "ifRevisionID": document["_rev"], **{how: what for how, what in changes.items() if what}}}


def _without_none(values: Row) -> Row:
    return {name: value for name, value in values.items() if value is not None}
