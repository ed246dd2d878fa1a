"""What can be asked of the order module, and how its tables hang together."""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, Numeric, Table, cast, func, literal_column, null, select

from ...core.sql.columns import Json
from ...core.sql.entity import Entity, Relation, Schema, many, one
from ...core.sql.values import raw_twin
from .after_sales import (
    order_change,
    order_change_action,
    order_claim,
    order_claim_item,
    order_exchange,
    order_exchange_item,
    return_,
    return_item,
)
from .tables import (
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
    order_summary,
    order_transaction,
    return_reason,
)


def _summary(source: FromClause) -> ColumnElement[object]:
    """The totals of the order's summary."""
    totals = select(order_summary.c.totals).where(order_summary.c.order_id == source.c.id, order_summary.c.deleted_at.is_(None))
    return totals.correlate(source).scalar_subquery()


def _total(source: FromClause) -> ColumnElement[object]:
    """What the order costs, as its summary has it: the same figure that its lines add up to, without reading them."""
    amount = cast(func.jsonb_extract_path_text(order_summary.c.totals, literal_column("'current_order_total'")), Numeric)
    total = select(amount).where(order_summary.c.order_id == source.c.id, order_summary.c.deleted_at.is_(None))
    return total.correlate(source).scalar_subquery()


def _order_change(source: FromClause) -> ColumnElement[object]:
    """The change that waits to be confirmed. None can be begun yet."""
    return cast(null(), Json)


def _quantity(source: FromClause) -> ColumnElement[object]:
    """How many were bought."""
    quantity = select(order_item.c.quantity).where(order_item.c.item_id == source.c.id, order_item.c.deleted_at.is_(None))
    return quantity.correlate(source).scalar_subquery()


def _raw_quantity(source: FromClause) -> ColumnElement[object]:
    return cast(raw_twin(_quantity(source)), Json)


def _metadata(source: FromClause) -> ColumnElement[object]:
    """What the line itself says: another version of the order may say something else of how many there are."""
    return cast(source.c.metadata, Json)


def _owned(kind: str, key: str, detail: str) -> dict[str, Relation]:
    return {
        "tax_lines": many(f"{kind}_tax_line", key, cascade=True),
        "adjustments": many(f"{kind}_adjustment", key, cascade=True),
        "detail": one(detail, "id", key),
        "order": one("order", "order_id"),
    }


def _part(table: Table, prefix: str, owner: str) -> Entity:
    """Tax lines or adjustments of line items or shipping methods."""
    kind = {"item": "order_line_item", "shipping_method": "order_shipping_method"}[owner]
    return Entity(table.name, table, prefix=prefix, relations={owner: one(kind, f"{owner}_id")}, bare=True)


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
            "items": many("order_line_item", "order_id", cascade=True),
            "shipping_methods": many("order_shipping_method", "order_id", cascade=True),
            "transactions": many("order_transaction", "order_id", cascade=True),
            "credit_lines": many("order_credit_line", "order_id", cascade=True),
            "changes": many("order_change", "order_id", cascade=True),
        },
        searchable=("display_id", "custom_display_id", "email", "shipping_address", "billing_address"),
        computed={"summary": _summary, "total": _total, "order_change": _order_change},
    ),
    Entity(
        "order_address",
        order_address,
        prefix="ordaddr",
        bare=True,
        searchable=("company", "first_name", "last_name", "address_1", "address_2", "city", "province", "postal_code", "phone"),
    ),
    Entity(
        "order_line_item",
        order_line_item,
        prefix="ordli",
        relations=_owned("order_line_item", "item_id", "order_item"),
        computed={"quantity": _quantity, "raw_quantity": _raw_quantity, "line_item_metadata": _metadata},
        hidden=frozenset({"order_id"}),
        bare=True,
    ),
    Entity("order_item", order_item, prefix="orditem", relations={"item": one("order_line_item", "item_id")}, bare=True),
    Entity(
        "order_shipping_method",
        order_shipping_method,
        prefix="ordsm",
        relations=_owned("order_shipping_method", "shipping_method_id", "order_shipping"),
        bare=True,
    ),
    Entity("order_shipping", order_shipping, prefix="ordspmv", bare=True),
    _part(order_line_item_tax_line, "ordlitxl", "item"),
    _part(order_line_item_adjustment, "ordliadj", "item"),
    _part(order_shipping_method_tax_line, "ordsmtxl", "shipping_method"),
    _part(order_shipping_method_adjustment, "ordsmadj", "shipping_method"),
    Entity("order_credit_line", order_credit_line, prefix="ordcl", bare=True),
    Entity("order_transaction", order_transaction, prefix="ordtrx"),
    Entity("order_summary", order_summary, prefix="ordsum"),
    Entity(
        "return_reason",
        return_reason,
        prefix="rr",
        label="ReturnReason",
        relations={
            "parent_return_reason": one("return_reason", "parent_return_reason_id"),
            "return_reason_children": many("return_reason", "parent_return_reason_id"),
        },
        searchable=("value", "label"),
    ),
    Entity(
        "order_change",
        order_change,
        prefix="ordch",
        label="OrderChange",
        relations={"order": one("order", "order_id"), "actions": many("order_change_action", "order_change_id", cascade=True)},
    ),
    Entity(
        "order_change_action", order_change_action, prefix="ordchact", relations={"order_change": one("order_change", "order_change_id")}
    ),
    Entity(
        "return",
        return_,
        prefix="return",
        label="Return",
        relations={"order": one("order", "order_id"), "items": many("return_item", "return_id", cascade=True)},
    ),
    Entity(
        "return_item",
        return_item,
        prefix="retitem",
        relations={"reason": one("return_reason", "reason_id"), "item": one("order_line_item", "item_id")},
    ),
    Entity(
        "order_claim",
        order_claim,
        prefix="claim",
        label="Claim",
        relations={
            "order": one("order", "order_id"),
            "return": one("return", "return_id"),
            "additional_items": many("order_claim_item", "claim_id", cascade=True),
        },
    ),
    Entity("order_claim_item", order_claim_item, prefix="claitem", relations={"item": one("order_line_item", "item_id")}),
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
    Entity("order_exchange_item", order_exchange_item, prefix="oexcitem", relations={"item": one("order_line_item", "item_id")}),
)
