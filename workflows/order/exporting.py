"""Orders as a CSV file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

from ...core.rows import Row
from ..exporting import EXPORT_SECONDS, EXPORTS, Export, Shop, carry_out
from ..kit import Flow, workflow
from .statuses import LISTED, MADE_OF, with_statuses

NAME = "export-orders"
TOTALS = ("subtotal", "shipping_total", "discount_total", "gift_card_total", "tax_total", "total")
FIELDS = (
    *LISTED, "*items.detail", "display_id", "created_at", "currency_code", "region_id", "customer.first_name", "customer.last_name",
    "customer.email", "customer.id", "email", "*shipping_address", *TOTALS, *MADE_OF,
)  # fmt: skip


async def _rows(_: Shop, pages: AsyncIterator[list[Row]]) -> AsyncIterator[list[Row]]:
    async for page in pages:
        refunded = [sum((Decimal(each["refunded_amount"] or 0) for each in order["payment_collections"]), Decimal(0)) for order in page]
        yield [_row(order, amount) for order, amount in zip(with_statuses(page, FIELDS), refunded, strict=True)]


COLUMNS = (
    "Order_ID", "Display_ID", "Order status", "Date", "Customer First name", "Customer Last name", "Customer Email", "Customer ID",
    "Shipping Address 1", "Shipping Address 2", "Shipping Country Code", "Shipping City", "Shipping Postal Code", "Shipping Region ID",
    "Fulfillment Status", "Payment Status", "Subtotal", "Shipping Total", "Discount Total", "Gift Card Total", "Refunded Total",
    "Tax Total", "Total", "Currency Code",
)  # fmt: skip
"""Those of Medusa's export."""


def _row(order: Row, refunded: Decimal) -> Row:
    customer, address = order.get("customer") or {}, order.get("shipping_address") or {}
    cells = (
        *(order[name] for name in ("id", "display_id", "status", "created_at")),
        *(customer.get(name) for name in ("first_name", "last_name")), customer.get("email") or order["email"], customer.get("id"),
        *(address.get(name) for name in ("address_1", "address_2", "country_code", "city", "postal_code")), order["region_id"],
        *(order[name] for name in ("fulfillment_status", "payment_status", "subtotal", "shipping_total", "discount_total")),
        order["gift_card_total"], refunded, order["tax_total"], order["total"], order["currency_code"],
    )  # fmt: skip
    return dict(zip(COLUMNS, cells, strict=True))


ORDERS = EXPORTS[NAME] = Export("Order export", "orders", "order", _rows, COLUMNS, FIELDS, filters={"is_draft_order": False})


@workflow(NAME, durable=True, timeout=EXPORT_SECONDS)
async def export_orders(flow: Flow, filter: Row) -> None:
    """Write the orders that pass a filter, a row each, into a CSV file. Drafts are none."""
    await carry_out(flow, NAME, list(FIELDS), filter)
