"""The service of the order module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypedDict

from ...core.errors import InvalidData, NotAllowed, NotFound
from ...core.ids import new_id
from ...core.json import dumps
from ...core.messages import keyed, one_statement, reads, writes
from ...core.module import ModuleService, Row
from ...core.money import difference, total
from ...core.query.page import Page, Query
from ...core.query.totalled import ORDER, totalled
from ...core.sql.merging import turned
from . import queries
from .placing import rows_of, summary
from .schema import SCHEMA

ADDRESSES = ("shipping_address", "billing_address")
_OWN = ("id", "created_at", "updated_at", "deleted_at")
"""Columns of an address that a new one doesn't take over."""


TOLD = ("email", "locale", "metadata", *ADDRESSES)
"""What of an amendment is written down as a change of its own, with what it was before."""


class Amendment(TypedDict):
    """Columns of an order that were changed, and the changes that were written down."""

    before: Row
    after: Row
    changes: list[str]


class OrderService(ModuleService):
    """Orders with their lines, addresses, shipping methods, transactions and the summary of what is paid."""

    schema = SCHEMA

    # -- reading

    @reads
    async def query(self, query: Query) -> Page:
        """One page, as every module gives it. Orders, their items and shipping methods also show totals (see `core.totals`)."""
        plan = totalled(ORDER, tuple(query.fields)) if query.entity == "order" else None
        if plan is None:
            return await super().query(query)
        page = await super().query(replace(query, fields=plan.fields))
        return Page(dumps(plan.finish(page.rows)), page.count)

    # -- placing

    @writes
    @one_statement(answers=True)
    async def place(self, order: Mapping[str, Any]) -> int:
        """Create an order from one document: its columns, `shipping_address`, `billing_address`, `items` and `shipping_methods` with their
        `tax_lines` and `adjustments`, `credit_lines`. Every row brings its id.

        Returns the number under which people know it (`display_id`). Numbers rise, and each is given once: so that none is missing, an
        order is placed when nothing can refuse it any more. A crash may still leave a gap.
        """
        number: int = await self.answer(queries.PLACE, rows_of(order))
        self.touch("order")
        return number

    @writes
    async def discard(self, order_id: str) -> bool:
        """Remove an order that did not come about, with all that is in it. Whether there was one.

        Only for taking back `place`: what a shop has accepted is cancelled, not removed.
        """
        gone = await self.database.fetch_one(queries.DISCARD, {"id": order_id})
        if gone is None:
            return False
        await self.database.execute(queries.DISCARD_ADDRESSES, {"ids": [id for id in gone if id is not None]})
        self.touch("order")
        return True

    # -- changing what says for whom it is

    @writes
    @keyed("order_id")
    async def amend(self, order_id: str, changes: Mapping[str, Any], *, by: str | None = None) -> Amendment:
        """Change `email`, `customer_id`, `locale`, `metadata`, `shipping_address` and `billing_address`.

        What an address names is laid over the one there was, as a new row: the former stays, for `put_back`. What is new of the email, the
        locale, the metadata and the addresses is written down as confirmed changes of the order, `by` a user. Raises NotFound; NotAllowed
        for a cancelled order; InvalidData for another country, which would be other taxes.
        """
        if await self.database.fetch_value(queries.LOCK, {"id": order_id}) is None:
            raise NotFound(f"Order with id: {order_id} was not found")
        given, told = dict(changes), dict[str, tuple[Any, Any]]()
        addresses = {name: given.pop(name) for name in ADDRESSES if given.get(name) is not None}
        order = await self.retrieve("order", order_id, fields=("*", *(f"{name}.*" for name in addresses)))
        if order["status"] == "canceled":
            raise NotAllowed("A canceled order can't be changed")
        for name, address in addresses.items():
            there = {column: value for column, value in (order[name] or {}).items() if column not in _OWN}
            country = there.get("country_code")
            if country is not None and address.get("country_code", country) != country:
                raise InvalidData(f"The country of the {name.replace('_', ' ')} can't be changed")
            if all(there.get(column) == value for column, value in address.items()):
                continue  # said again, as forms do
            [made] = await self.create("order_address", [{**there, **address}])
            given[f"{name}_id"] = made["id"]
            told[name] = order[name], made
        [now] = await self.update("order", [{"id": order_id, **given}])
        told |= {name: (order[name], given[name]) for name in TOLD if name in given and given[name] != order[name]}
        written = [await self._write_down(order, name, old, new, by) for name, (old, new) in told.items()]
        return {
            "before": {column: order[column] for column in given},
            "after": {column: now[column] for column in given},
            "changes": written,
        }

    async def _write_down(self, order: Row, name: str, old: Any, new: Any, by: str | None) -> str:
        """A change that has been made already: of one thing that an order says. Returns its id."""
        of_order = {"order_id": order["id"], "version": order["version"]}
        now = datetime.now(UTC)  # and not when the transaction began: it may have waited for the one before
        made_by = {"created_by": by, "confirmed_by": by, "confirmed_at": now, "created_at": now}
        [change] = await self.create("order_change", [{**of_order, **made_by, "change_type": "update_order", "status": "confirmed"}])
        action = {**of_order, "order_change_id": change["id"], "applied": True}
        details = {"type": name, "old": old, "new": new}
        await self.create("order_change_action", [{**action, "action": "UPDATE_ORDER_PROPERTIES", "details": details}])
        return str(change["id"])

    @writes
    @keyed("order_id")
    async def put_back(self, order_id: str, amendment: Amendment) -> None:
        """Take back `amend`, but for columns that somebody has changed since. May be repeated."""
        await self.database.fetch_value(queries.LOCK, {"id": order_id})
        order = await self.retrieve("order", order_id)
        back = {column: amendment["before"][column] for column, value in amendment["after"].items() if order[column] == value}
        if "metadata" in back:
            back["metadata"] = turned(order["metadata"], back["metadata"])
        await self.update("order", [{"id": order_id, **back}])
        await self.delete("order_change", amendment["changes"])

    # -- money

    @writes
    @keyed("order_id")
    async def add_transactions(
        self, order_id: str, transactions: Sequence[Mapping[str, Any]], *, credited: Mapping[str, Any] | None = None
    ) -> list[str]:
        """Write down money that was paid (`amount` above zero) or given back (below), and bring the summary up to date.

        Each names its `amount`, `currency_code`, and the `reference` and `reference_id` of what caused it (`capture`, `capt_…`): a cause is
        counted once, however often it is reported. What is given back beyond what the shop owes makes the order cheaper: by a credit line
        of the next version, with the `reference` and `reference_id` that `credited` names. Returns the ids of those that are new.
        Raises NotFound.
        """
        if await self.database.fetch_value(queries.LOCK, {"id": order_id}) is None:
            raise NotFound(f"Order with id: {order_id} was not found")
        rows = [{"id": new_id("ordtrx"), **transaction} for transaction in transactions]
        made = await self.database.fetch(queries.ADD_TRANSACTIONS, {"order_id": order_id, "rows": rows})
        if made:
            new = {row["id"] for row in made}
            await self._sum_up(order_id, [Decimal(row["amount"]) for row in rows if row["id"] in new], credited or {})
            self.touch("order", "order_transaction")
        return [row["id"] for row in made]

    async def _sum_up(self, order_id: str, moved: Sequence[Decimal], credited: Mapping[str, Any]) -> None:
        """Bring the summary up to date after money was `moved`."""
        money = await self.database.fetch_one(queries.PAID, {"id": order_id})
        before: Mapping[str, Any] = await self.database.fetch_value(queries.SUMMARY, {"id": order_id})
        assert money is not None
        current, credit = Decimal(before["current_order_total"]), Decimal(before["credit_line_total"])
        given_back = total([-amount for amount in moved if amount < 0])
        open_before = difference(Decimal(before["pending_difference"]), *(amount for amount in moved if amount > 0))
        more = difference(given_back, max(-open_before, Decimal(0)))
        if given_back and more > 0 and await self._credit(order_id, more, credited):
            current, credit = difference(current, more), total([credit, more])
        totals = summary(current, credit, Decimal(money["paid"]), Decimal(money["refunded"]))
        totals |= {name: before[name] for name in ("original_order_total", "raw_original_order_total")}
        await self.database.execute(queries.SET_SUMMARY, {"id": order_id, "totals": totals})

    async def _credit(self, order_id: str, amount: Decimal, reference: Mapping[str, Any]) -> bool:
        """A credit line of the order's next version. Not of a cancelled order: it costs nothing any more. Whether it was made."""
        order = await self.retrieve("order", order_id, fields=("status", "version"))
        if order["status"] == "canceled":
            return False
        of_order = {"order_id": order_id, "version": order["version"] + 1}
        now = datetime.now(UTC)
        await self.update("order", [{"id": order_id, "version": of_order["version"]}])
        await self.create("order_credit_line", [{**of_order, **reference, "amount": amount}])
        [change] = await self.create(
            "order_change", [{**of_order, "change_type": "credit_line", "status": "confirmed", "confirmed_at": now, "created_at": now}]
        )
        action = {"action": "CREDIT_LINE_ADD", "amount": amount, "order_change_id": change["id"], "applied": True}
        await self.create("order_change_action", [{**of_order, **reference, **action}])
        return True
