"""Odoo as tests have it: its external API over JSON-RPC, as its documentation describes it, on a loopback port, with records in memory.

It knows the models and methods that the plugin uses, and refuses others as Odoo does: with status 200 and an error.
"""

from __future__ import annotations

import asyncio
import fnmatch
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from typing import Any

from aiohttp import web

Record = dict[str, Any]

DATABASE, LOGIN, KEY = "shop", "shop@example.com", "api-key"
EUR = [1, "EUR"]


class Refusal(Exception):
    """An exception in Odoo: its name there, and its message."""


class OdooStandIn:
    """`async with OdooStandIn() as odoo: odoo.options`"""

    def __init__(self) -> None:
        self.records: dict[str, dict[int, Record]] = defaultdict(dict)
        self.asked: list[str] = []
        """`sale.order.create`, …"""
        self.lost: list[str] = []
        """Methods whose next call is carried out, but whose answer is lost."""
        self.late: dict[str, float] = {}
        """Methods whose next call is carried out after so many seconds, though nobody waits for it any more."""
        self.fails: list[int] = []
        """Statuses that the next requests are answered with, without being carried out."""
        self.meanwhile: dict[str, Callable[[], object]] = {}
        """Called once, before a method is carried out."""
        self.slow = 0.0
        self._ids = count(1)
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._working: set[asyncio.Task[Any]] = set()
        self.make("res.country", code="DE", name="Germany")
        self.make("product.pricelist", name="Public", currency_id=EUR)
        self.product("Other", code="SHOP-OTHER", on_hand=0, sale_ok=False)

    @property
    def options(self) -> dict[str, Any]:
        """What the plugin is set up with."""
        url = f"http://127.0.0.1:{self._port}"
        return {"url": url, "database": DATABASE, "login": LOGIN, "api_key": KEY, "timeout": 1.0}

    async def __aenter__(self) -> OdooStandIn:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """On the same port again after `stop`."""
        app = web.Application()
        app.router.add_post("/jsonrpc", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Nobody answers there any more."""
        await self.idle()
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def idle(self) -> None:
        """Return when nothing is carried out any more."""
        while self._working:
            await asyncio.wait(self._working)

    # -- what people do there

    def make(self, model: str, **values: Any) -> int:
        id = next(self._ids)
        self.records[model][id] = {"id": id, "active": True, **values}
        return id

    def product(self, name: str, *, code: str, price: float = 10.0, on_hand: float = 5, sizes: tuple[str, ...] = (), **more: Any) -> int:
        """A template with a variant, or with one of each size. Returns its id."""
        more = {"description_sale": False, "sale_ok": True, "is_storable": True, "currency_id": EUR, **more}
        template = self.make("product.template", name=name, **more)
        for size in sizes or (None,):
            value = self.make("product.template.attribute.value", name=size, attribute_id=[1, "Size"]) if size else None
            own = {"default_code": f"{code}-{size}" if size else code, "product_template_variant_value_ids": [value] if value else []}
            of = {"product_tmpl_id": [template, name], "barcode": False, "lst_price": price, "on_hand": on_hand}
            self.make("product.product", **of, **own)
        return template

    def variants(self, template: int) -> list[Record]:
        return [each for each in self.records["product.product"].values() if each["product_tmpl_id"][0] == template]

    def orders(self, ref: str) -> list[Record]:
        return [each for each in self.records["sale.order"].values() if each["client_order_ref"] == ref]

    def deliver(self, ref: str, tracking: str) -> None:
        """All of an order leaves."""
        [order] = [each for each in self.orders(ref) if each["state"] == "sale"]
        for line in self._lines(order):
            line["qty_delivered"] = line["product_uom_qty"]
            self.records["product.product"][line["product_id"]]["on_hand"] -= line["product_uom_qty"]
        order["delivery_status"] = "full"
        self.make("stock.picking", sale_id=order["id"], state="done", carrier_tracking_ref=tracking, carrier_tracking_url=False)

    # -- the API

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.fails:
            return web.Response(status=self.fails.pop(0), text="Bad Gateway")
        await asyncio.sleep(self.slow)
        asked = await request.json()
        assert (asked["jsonrpc"], asked["method"]) == ("2.0", "call")
        service, method, args = (asked["params"][name] for name in ("service", "method", "args"))
        if (service, method) == ("common", "authenticate"):
            return _result(asked, 7 if args[:3] == [DATABASE, LOGIN, KEY] else False)
        assert (service, method) == ("object", "execute_kw")
        database, user, key, model, name, positional, named = args
        if (database, user, key) != (DATABASE, 7, KEY):
            return _error(asked, "odoo.exceptions.AccessDenied", "Access Denied")
        what = f"{model}.{name}"
        self.asked.append(what)
        work = asyncio.create_task(self._carried_out(what, model, name, positional, named))  # Odoo goes on where a client gives up
        self._working.add(work)
        work.add_done_callback(self._working.discard)
        try:
            result = await asyncio.shield(work)
        except Refusal as refusal:
            return _error(asked, *refusal.args)
        if what in self.lost:
            self.lost.remove(what)
            assert request.transport is not None
            request.transport.close()
        return _result(asked, result)

    async def _carried_out(self, what: str, model: str, name: str, args: list[Any], named: Record) -> Any:
        await asyncio.sleep(self.late.pop(what, 0.0))
        self.meanwhile.pop(what, lambda: None)()
        method = getattr(self, f"_{name}", None)
        if method is None:
            raise Refusal("odoo.exceptions.UserError", f"{what} isn't there")
        return method(model, *args, **named)

    def _search_read(self, model: str, domain: list[Any], fields: list[str], order: str, limit: int, context: Record) -> list[Record]:
        assert order == "id"
        there = [each for id, each in sorted(self.records[model].items()) if each["active"] or not context["active_test"]]
        found = [each for each in there if all(self._matches(each, *condition) for condition in domain)]
        return [{"id": each["id"], **{name: self._value(model, each, name) for name in fields}} for each in found[:limit]]

    def _create(self, model: str, values: Record) -> int:
        if model == "sale.order":
            assert values["partner_id"] in self.records["res.partner"]
            assert values["partner_shipping_id"] in self.records["res.partner"]
            lines = values.pop("order_line")
            status = {"state": "draft", "delivery_status": False, "invoice_status": "no", "tag_ids": []}
            id = self.make(model, **values, **status)
            self.records[model][id]["name"] = f"S{id:05}"
            for command, _, line in lines:
                assert command == 0
                assert line["product_id"] in self.records["product.product"]
                self.make("sale.order.line", order_id=id, qty_delivered=0, **line)
            return id
        return self.make(model, **values)

    def _write(self, model: str, ids: list[int], values: Record) -> bool:
        for id in ids:
            for command, tag in values["tag_ids"]:
                tags = set(self.records[model][id]["tag_ids"])
                self.records[model][id]["tag_ids"] = sorted(tags | {tag} if command == 4 else tags - {tag})
        return True

    def _action_confirm(self, model: str, ids: list[int]) -> bool:
        for id in ids:
            if self.records[model][id]["state"] not in ("draft", "sent"):
                raise Refusal("odoo.exceptions.UserError", "Some orders are not in a state requiring confirmation.")
            self.records[model][id] |= {"state": "sale", "delivery_status": "pending", "invoice_status": "to invoice"}
        return True

    def _action_cancel(self, model: str, ids: list[int], context: Record) -> Any:
        for id in ids:
            if self.records[model][id]["state"] != "draft" and not context.get("disable_cancel_warning"):
                return {"type": "ir.actions.act_window", "res_model": "sale.order.cancel"}
            self.records[model][id]["state"] = "cancel"
        return True

    def _read_group(self, model: str, domain: list[Any], fields: list[str], groupby: list[str]) -> list[Record]:
        assert (model, groupby) == ("sale.order.line", ["product_id"])
        groups: dict[int, Record] = {}
        for line in self.records[model].values():
            if all(self._matches(line, *condition) for condition in domain):
                id = line["product_id"]
                group = groups.setdefault(id, {"product_id": [id, "…"], **{name.partition(":")[0]: 0.0 for name in fields}})
                for name in (name.partition(":")[0] for name in fields):
                    group[name] += line[name]
        return list(groups.values())

    # -- inside

    def _lines(self, order: Record) -> list[Record]:
        return [line for line in self.records["sale.order.line"].values() if line["order_id"] == order["id"]]

    def _value(self, model: str, record: Record, name: str) -> Any:
        if name == "free_qty":  # what is there, less what is promised by confirmed orders
            of = [line for line in self.records["sale.order.line"].values() if line["product_id"] == record["id"]]
            open = [line for line in of if self.records["sale.order"][line["order_id"]]["state"] == "sale"]
            return record["on_hand"] - sum(line["product_uom_qty"] - line["qty_delivered"] for line in open)
        return record.get(name, False)

    def _matches(self, record: Record, path: str, operator: str, wanted: Any) -> bool:
        first, _, rest = path.partition(".")
        value = record.get(first, False)
        if rest and first in ("order_id", "sale_id"):
            return self._matches(self.records["sale.order"][value], rest, operator, wanted)
        if rest == "name":
            value = value[1]
        elif isinstance(value, list) and len(value) == 2 and isinstance(value[1], str):
            value = value[0]
        match operator:
            case "=":
                return bool(value == wanted)
            case "!=":
                return bool(value != wanted)
            case ">":
                return bool(value > wanted)
            case "in":
                return value in wanted
            case "=like":
                return fnmatch.fnmatchcase(str(value), wanted.replace("%", "*").replace("_", "?"))
        raise Refusal("builtins.ValueError", f"Invalid leaf {path} {operator}")


def _result(asked: Record, result: Any) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": result})


def _error(asked: Record, name: str, message: str) -> web.Response:
    data = {"name": name, "message": message, "arguments": [message], "context": {}, "debug": "Traceback (most recent call last): …"}
    return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": 200, "message": "Odoo Server Error", "data": data}})
