"""What can be asked of the order module, and how its tables hang together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Numeric, Table, cast, func, literal_column, select

from ...core.sql.schema.columns import ROOT, Json
from ...core.sql.schema.entity import Document, Entity, Relation, many, one
from ...core.sql.schema.schema import Schema
from .after_sales import (
    OPEN,
    order_change,
    order_change_action,
    order_claim,
    order_claim_item,
    order_claim_item_image,
    order_exchange,
    order_exchange_item,
    return_,
    return_item,
)
from .tables import (
    HIDDEN,
    WORDS,
    order,
    order_address,
    order_credit_line,
    order_item,
    order_line_item,
    order_line_item_adjustment,
    order_line_item_tax_line,
    order_shipping,
    order_shipping_method,
    order_shipping_method_adjustment,
    order_shipping_method_tax_line,
    order_transaction,
    return_reason,
)


def _total(source: FromClause) -> ColumnElement[object]:
    """What the order costs, as its summary has it: the same figure that its lines add up to, without reading them."""
    return cast(func.jsonb_extract_path_text(source.c.summary, literal_column("'current_order_total'")), Numeric)


def _order_change(source: FromClause) -> ColumnElement[object]:
    """The change that is worked on, or waits to be confirmed."""
    pairs: list[ColumnElement[Any]] = []
    for column in order_change.c:
        if column.name not in NOT_SHOWN:
            pairs += [literal_column(f"'{column.name}'"), column]
    order = func.json_build_object(literal_column("'id'"), order_change.c.order_id)
    found = (
        select(func.jsonb_build_object(*pairs, literal_column("'order'"), order))
        .where(order_change.c.order_id == source.c.id, order_change.c.status.in_([literal_column(f"'{status}'") for status in OPEN]))
        .where(order_change.c.deleted_at.is_(None))
        .limit(literal_column("1"))
    )
    return cast(found.scalar_subquery(), Json)


NOT_SHOWN = {f"{what}_{by}" for what in ("created", "updated", "deleted", "confirmed", "declined", "canceled") for by in ("at", "by")}
NOT_SHOWN |= {"declined_reason", "no_notification", "metadata", "revision"}


def _metadata(source: FromClause) -> ColumnElement[object]:
    """What the line itself says: another version of the order may say something else of how many there are."""
    return source.c.metadata


def _owned(kind: str, key: str, detail: str) -> dict[str, Relation]:
    return {
        "tax_lines": many(f"{kind}_tax_line", key),
        "adjustments": many(f"{kind}_adjustment", key),
        "detail": one(detail, "id", key),
        "order": one("order", "order_id"),
    }


def _inside(table: Table, prefix: str, *, bare: bool = True, hidden: Iterable[str] = (), **more: Any) -> Entity:
    """What lies in the document of an order."""
    return Entity(table.name, table, prefix=prefix, bare=bare, hidden=frozenset({ROOT, *hidden}), inside="order", **more)


def _part(table: Table, prefix: str, owner: str) -> Entity:
    """Tax lines or adjustments of line items or shipping methods."""
    kind = {"item": "order_line_item", "shipping_method": "order_shipping_method"}[owner]
    return _inside(table, prefix, relations={owner: one(kind, f"{owner}_id")})


_CAUSES = {"return": one("return", "return_id"), "claim": one("order_claim", "claim_id"), "exchange": one("order_exchange", "exchange_id")}

SCHEMA = Schema(
    "order",
    Entity(
        "order",
        order,
        prefix="order",
        label="Order",
        relations={
            "shipping_address": one("order_address", "shipping_address_id"),
            "billing_address": one("order_address", "billing_address_id"),
            "items": many("order_line_item", "order_id"),
            "shipping_methods": many("order_shipping_method", "order_id"),
            "transactions": many("order_transaction", "order_id"),
            "credit_lines": many("order_credit_line", "order_id"),
            "changes": many("order_change", "order_id", cascade=True),
            "returns": many("return", "order_id"),
        },
        searchable=("search",),
        computed={"total": _total, "order_change": _order_change},
        hidden=HIDDEN,
        document=Document(
            found_by={("order_line_item", "variant_id"): "variant_ids", ("order_line_item", "product_id"): "product_ids"},
        ),
    ),
    _inside(order_address, "ordaddr", searchable=WORDS),
    _inside(
        order_line_item,
        "ordli",
        relations=_owned("order_line_item", "item_id", "order_item"),
        computed={"line_item_metadata": _metadata},
        hidden=("order_id",),
    ),
    _inside(order_item, "orditem", relations={"item": one("order_line_item", "item_id")}),
    _inside(order_shipping_method, "ordsm", relations=_owned("order_shipping_method", "shipping_method_id", "order_shipping")),
    _inside(order_shipping, "ordspmv"),
    _part(order_line_item_tax_line, "ordlitxl", "item"),
    _part(order_line_item_adjustment, "ordliadj", "item"),
    _part(order_shipping_method_tax_line, "ordsmtxl", "shipping_method"),
    _part(order_shipping_method_adjustment, "ordsmadj", "shipping_method"),
    _inside(order_credit_line, "ordcl"),
    _inside(order_transaction, "ordtrx", bare=False, relations=_CAUSES),
    Entity(
        "return_reason",
        return_reason,
        remembered=True,
        prefix="rr",
        label="ReturnReason",
        relations={
            "parent_return_reason": one("return_reason", "parent_return_reason_id"),
            "return_reason_children": many("return_reason", "parent_return_reason_id"),
        },
        translatable=("label", "description"),
        searchable=("value", "label"),
    ),
    Entity(
        "order_change",
        order_change,
        prefix="ordch",
        label="OrderChange",
        relations={"order": one("order", "order_id"), "actions": many("order_change_action", "order_change_id", cascade=True)},
        hidden=frozenset({"revision"}),
    ),
    Entity(
        "order_change_action",
        order_change_action,
        prefix="ordchact",
        relations={"order_change": one("order_change", "order_change_id")},
        hidden=frozenset({"line"}),
        default_order=("ordering",),
    ),
    Entity(
        "return",
        return_,
        prefix="return",
        label="Return",
        relations={
            "order": one("order", "order_id"),
            "exchange": one("order_exchange", "exchange_id"),
            "claim": one("order_claim", "claim_id"),
            "items": many("return_item", "return_id", cascade=True),
        },
    ),
    Entity(
        "return_item",
        return_item,
        prefix="retitem",
        relations={
            "return": one("return", "return_id"),
            "reason": one("return_reason", "reason_id"),
            "item": one("order_line_item", "item_id"),
        },
    ),
    Entity(
        "order_claim",
        order_claim,
        prefix="claim",
        label="Claim",
        relations={
            "order": one("order", "order_id"),
            "return": one("return", "return_id"),
            "claim_items": many("order_claim_item", "claimed_by", cascade=True),
            "additional_items": many("order_claim_item", "added_by", cascade=True),
        },
    ),
    Entity(
        "order_claim_item",
        order_claim_item,
        prefix="claitem",
        relations={
            "claim": one("order_claim", "claim_id"),
            "item": one("order_line_item", "item_id"),
            "images": many("order_claim_item_image", "claim_item_id", cascade=True),
        },
        hidden=frozenset({"claimed_by", "added_by"}),
    ),
    Entity(
        "order_claim_item_image",
        order_claim_item_image,
        prefix="climg",
        relations={"claim_item": one("order_claim_item", "claim_item_id")},
    ),
    Entity(
        "order_exchange",
        order_exchange,
        prefix="oexc",
        label="Exchange",
        relations={
            "order": one("order", "order_id"),
            "return": one("return", "return_id"),
            "additional_items": many("order_exchange_item", "exchange_id", cascade=True),
        },
    ),
    Entity(
        "order_exchange_item",
        order_exchange_item,
        prefix="oexcitem",
        relations={"exchange": one("order_exchange", "exchange_id"), "item": one("order_line_item", "item_id")},
    ),
)
