"""Asks Odoo, and shows its orders as if they were ours: `order.odoo_order`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Table, Text

from velella.core.errors import NotAllowed
from velella.core.graph.links import Reference
from velella.core.message import reads
from velella.core.rows import Row
from velella.core.service.module import Module
from velella.core.service.third_party import ThirdPartyService
from velella.core.sql.schema.columns import module_metadata
from velella.core.sql.schema.entity import Entity
from velella.core.sql.schema.schema import Schema

from . import plugin
from .client import Odoo

ORDER = ("id", "name", "client_order_ref", "state", "delivery_status", "invoice_status", "tag_ids")
PAGE = 1000
"""Records that Odoo is asked for at once."""
Domain = Sequence[Any]

odoo_order = Table(
    "odoo_order",
    module_metadata(),
    Column("id", Text, primary_key=True),  # S00042
    Column("order_id", Text),
    Column("state", Text),
    Column("delivery_status", Text),
    Column("invoice_status", Text),
)


class OdooService(ThirdPartyService):
    """Odoo's records. Whatever is false there is None here."""

    name = "odoo"
    schema = Schema("odoo", Entity("odoo_order", odoo_order, label="Order at Odoo"))

    async def start(self) -> None:
        await super().start()
        self._odoo = Odoo(plugin.options(self.context.settings))

    async def stop(self) -> None:
        await self._odoo.close()
        await super().stop()

    async def check(self) -> str:
        return f"Odoo lets the shop in as user {await self._odoo.user()}"

    async def find(self, entity: str, keys: Mapping[str, Sequence[Any]]) -> Sequence[Mapping[str, Any]]:
        """Odoo's orders for these of ours, asked now."""
        if "order_id" not in keys:
            raise NotAllowed("Say for which orders.")
        found = {row["client_order_ref"]: row for row in reversed(await self.orders(keys["order_id"]))}
        shown = ("state", "delivery_status", "invoice_status")
        return [{"id": row["name"], "order_id": ref, **{name: row[name] for name in shown}} for ref, row in found.items()]

    @reads
    async def records(
        self, model: str, domain: Domain, fields: Sequence[str], limit: int | None = None, archived: bool = False
    ) -> list[Row]:
        """Records by their ids, archived ones too if asked for: the first `limit`, or all, which Odoo is asked for page by page."""
        asked = {"fields": list(fields), "order": "id", "limit": limit or PAGE, "context": {"active_test": not archived}}
        found: list[Row] = []
        page: list[Row] | None = None
        while page is None or (limit is None and len(page) == PAGE):
            beyond = [("id", ">", page[-1]["id"])] if page else []
            page = await self._odoo.execute(model, "search_read", [*domain, *beyond], again=True, **asked)
            found += page
        return [{name: None if value is False and name not in FLAGS else value for name, value in row.items()} for row in found]

    @reads
    async def orders(self, ids: Sequence[str]) -> list[Row]:
        """Odoo's orders for these of ours, the oldest first."""
        return await self.records("sale.order", [("client_order_ref", "in", list(ids))], ORDER)

    @reads
    async def stock(self, ids: Sequence[int]) -> Mapping[int, float]:
        """Variant → units that may be promised to buyers, or are promised to buyers of this shop: our own reservations are ours to count.

        What is promised is read first. An order that arrives between the two is then missing from both, which sells too little for some
        minutes; the other way round it would be counted twice.
        """
        ours = [("product_id", "in", list(ids)), ("order_id.client_order_ref", "=like", "order_%"), ("order_id.state", "=", "sale")]
        sums = ["product_uom_qty:sum", "qty_delivered:sum"]
        groups = await self._odoo.execute("sale.order.line", "read_group", ours, sums, ["product_id"], again=True)
        promised = {group["product_id"][0]: group["product_uom_qty"] - group["qty_delivered"] for group in groups}
        free = await self.records("product.product", [("id", "in", list(ids))], ("id", "free_qty"), limit=len(ids))
        return {row["id"]: max(0, (row["free_qty"] or 0) + max(0, promised.get(row["id"], 0))) for row in free}

    async def do(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Have Odoo change something. It is sent once: after Unavailable it isn't known whether that was done."""
        return await self._odoo.execute(model, method, *args, **kwargs)


FLAGS = ("active", "sale_ok", "is_storable")
"""What is false where it is false."""

MODULE = Module(
    name="odoo",
    schema=OdooService.schema,
    service=OdooService,
    package=__name__,
    references=(Reference("odoo_order", "order", "order_id", "order", back="odoo_order", back_many=False),),
)
