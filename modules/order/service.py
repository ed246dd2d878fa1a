"""The service of the order module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ...commerce.totalled import ORDER, totalled
from ...commerce.types import NewOrder, NewTransaction, Order
from ...core import json
from ...core.clock import iso, utc_now
from ...core.codec import pack
from ...core.errors import InvalidData
from ...core.message import reads, writes
from ...core.rows import Row
from ...core.sql.read.documents import Within
from ...core.sql.schema.fields import FieldTree
from ...core.sql.schema.query import SLOT, Page, Query
from . import changing, queries
from .after_sales import OPEN
from .changes.applying import Prices, repriced
from .changing import Amendment, ChangedOrder
from .pending import Pending
from .placing import costs, summary, words
from .schema import SCHEMA
from .showing import SLOTS
from .types import Act, NewChange
from .writing import as_time

_LINES = "items"


class OrderService(Pending):
    """Orders with their lines, addresses, shipping methods, transactions and the summary of what is paid.

    A write reads the order, computes the changed order (`changing.py`), and writes all of it with one statement that names the revision
    that was read. If another write was faster, nothing is written, and the write begins again.
    """

    schema = SCHEMA

    # -- reading

    @reads
    async def query(self, query: Query) -> Page:
        """Returns one page. Orders, their items and shipping methods also show totals (see `commerce/totals.py`).

        A query for one order's id and one of its former `version`s returns the order as it was then, without room for anything.
        """
        if query.entity != "order":
            within = self.statements.documents.within(query)
            return await super().query(query) if within is None else await self._lines(query, within)
        version = _version_in(query)
        if query.slots and version is None:
            return await self._with_room(query)
        plan = totalled(ORDER, tuple(query.fields))
        if plan is None and version is None:
            return await super().query(query)
        asked = replace(query, slots=(), fields=plan.fields if plan is not None else query.fields)
        rows, count = await self._rows(asked)
        if version is not None and not rows:
            rows = await self._former(asked, version)
            count = len(rows) if query.count else None
        return Page.of(plan.finish(rows) if plan is not None else rows, count)

    # -- placing

    @writes(one_statement=True, answers=True)
    async def place(self, order: NewOrder) -> int:
        """Store a new order (see `placing.placed`).

        Returns its number for people (`display_id`). Numbers rise, and each is given once. An order is placed when nothing can refuse it
        any more, so that no number is missing; a crash may still leave a gap.
        """
        params = {**self._written(order), "created_at": as_time(order["created_at"]), "words": words(order)}
        number: int = await self.answer(queries.PLACE, params)
        self.touch("order")
        return number

    @writes
    async def adopt(self, orders: Sequence[Mapping[str, Any]]) -> list[Decimal]:
        """Store orders that come from another shop, as they are there. Returns what each costs. Raises InvalidData for one that is here.

        Each is whole (see `placing.placed`), with its id, number, version and times, the `detail` of each line and shipping method, and
        what it cost before its last change (`original_total`). Summaries are worked out anew; numbers go on after the highest.
        """
        costing = []
        for order in orders:
            total, credit = costs(order)
            before = Decimal(order["original_total"]) if order["original_total"] is not None else None
            moved = [Decimal(each["amount"]) for each in order["transactions"]]
            paid, back = sum((each for each in moved if each > 0), Decimal(0)), -sum((each for each in moved if each < 0), Decimal(0))
            whole = {**order, "summary": summary(total, credit, paid, back, original=before)}
            given = {name: order[name] for name in ("display_id", "custom_display_id")}
            given |= {name: as_time(order[name]) if order[name] is not None else None for name in ("created_at", "deleted_at")}
            params = {**self._written(whole), **given, "search": f"{order['display_id']}{words(order)}"}
            await self.database.execute(queries.ADOPT, params)
            costing.append(total)
        await self.database.execute(queries.GO_ON_COUNTING)
        self.touch("order")
        return costing

    @writes(one_statement=True, answers=True)
    async def discard(self, order_id: str) -> bool:
        """Remove an order that was not completed, with everything in it. Returns whether it existed. May be repeated.

        Only to undo `place`: an order that the shop has accepted is cancelled, not removed.
        """
        gone = await self.answer(queries.DISCARD, {"id": order_id}) is not None
        if gone:
            self.touch("order", "order_change", "order_change_action")
        return gone

    # -- changing what says for whom it is

    @writes(key="order_id", one_statement=True, answers=True)
    async def amend(
        self,
        order_id: str,
        changes: Mapping[str, Any],
        *,
        by: str | None = None,
        draft: bool = False,
        said: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Amendment:
        """Change `email`, `customer_id`, `locale`, `metadata`, `shipping_address` and `billing_address`.

        The fields of a given address replace those of the present one, and the result is a new address. Each changed email, locale,
        metadata and address is recorded as a confirmed change of the order, made `by` a user; the order's version stays. Raises NotFound;
        NotAllowed for a cancelled order; InvalidData for another country, which would mean other taxes.

        `draft`: the order has to be a draft, else InvalidData. A draft may change its country and its `sales_channel_id`. `said`: by their
        ids the texts of lines, shipping methods and tax lines in another locale.
        """
        amendment: Amendment = await self._change(
            order_id, lambda order, at: changing.amend(order, changes, by, at, draft=draft, said=said or {})
        )
        return amendment

    @writes(key="order_id", one_statement=True, answers=True)
    async def put_back(self, order_id: str, amendment: Amendment) -> None:
        """Undo `amend`, except for fields that were changed again since. May be repeated. Raises NotFound."""
        await self._change(order_id, lambda order, at: changing.put_back(order, amendment, at))

    # -- what becomes of it

    @writes(key="order_id", one_statement=True, answers=True)
    async def register(self, order_id: str, acts: Sequence[Act], change: NewChange | None = None) -> tuple[str, Order | None]:
        """Apply actions to an order at once (see `changes`): writes its next version and a confirmed change with these actions and the
        fields of `change`. Returns the change's id, and the order as it is then; None where this is repeated.

        Raises NotFound; InvalidData if the order is cancelled or doesn't allow one of the actions; then nothing is written.
        """
        return await self._change_whole(order_id, lambda order, at: changing.register(order, acts, change or {}, at))

    @writes(key="order_id", one_statement=True, answers=True)
    async def unregister(self, order_id: str, change_id: str, acts: Sequence[Act]) -> None:
        """Undo `register` of actions that count units, whatever was done since.

        The order gets its former version number again, unless another version has followed meanwhile.
        """
        change = await self.retrieve("order_change", change_id, fields=("id", "version"))
        former = await self._summary_at(order_id, change["version"] - 1)
        await self._change(order_id, lambda order, at: changing.unregister(order, change, acts, former, at), queries.CHANGE_BACK)

    @writes(key="order_id", one_statement=True, answers=True)
    async def cancel(self, order_id: str) -> tuple[str, Order | None]:
        """Cancel an order. Returns its status before, for `reopen`, and the order as it is then; None where this is repeated.

        Raises NotFound; InvalidData if it is cancelled already; NotAllowed if it is completed, or a part of it is in a fulfilment that
        isn't cancelled.
        """
        return await self._change_whole(order_id, changing.cancel)

    @writes(key="order_id", one_statement=True, answers=True)
    async def reopen(self, order_id: str, status: str) -> None:
        """Undo `cancel`: set the status that the order had. May be repeated. Raises NotFound."""
        await self._change(order_id, lambda order, at: changing.reopen(order, status, at))

    @writes(key="order_id", one_statement=True, answers=True)
    async def set_status(self, order_id: str, status: str, *, but: Sequence[str] = ()) -> str:
        """Set an order's status. Returns the status before. Raises NotFound; InvalidData if its status is one of `but`."""
        before: str = await self._change(order_id, lambda order, at: changing.set_status(order, status, but, at))
        return before

    # -- drafts

    @writes(key="order_id", one_statement=True, answers=True)
    async def price(self, order_id: str, revision: int, prices: Prices) -> bool:
        """Give a draft taxes and discounts that were computed for one of its revisions. Returns False, and writes nothing, if the draft
        has another revision by now.

        Raises NotFound; InvalidData if it is no draft.
        """

        def work(order: Order, at: str) -> ChangedOrder | None:
            changing.check_draft(order, True)
            return ChangedOrder(True, order=repriced(order, prices, at)) if order["revision"] == revision else None

        return bool(await self._change(order_id, work))

    @writes(key="order_id")
    async def convert(self, order_id: str, revision: int) -> None:
        """Turn a draft into an order, if it still has this revision.

        Raises NotFound; Collided if it has another revision; InvalidData if it is no draft, is cancelled, or is being edited.
        """
        order: Order = {**await self.load(order_id), "revision": revision}
        await self._write_changed(order, changing.convert(order, iso(utc_now())))
        if await self.list("order_change", {"order_id": order_id, "status": list(OPEN)}, fields=("id",), limit=1):
            raise InvalidData(f"Order {order_id} is being edited: confirm the edit, or give it up")

    @writes
    async def discard_draft(self, order_id: str) -> None:
        """Delete a draft. Raises NotFound; InvalidData if it is no draft."""
        order = await self.load(order_id)
        changing.check_draft(order, True)
        await self._write_changed(order, ChangedOrder(True, order={**order, "updated_at": iso(utc_now())}))  # nobody converts it meanwhile
        await self.delete("order", [order_id])

    # -- money

    @writes(key="order_id", one_statement=True, answers=True)
    async def add_transactions(
        self, order_id: str, transactions: Sequence[NewTransaction], *, credited: Mapping[str, Any] | None = None
    ) -> list[str]:
        """Record payments (`amount` above zero) and refunds (below), and update the summary.

        Each has an `amount`, a `currency_code`, and the `reference` and `reference_id` of its cause (`capture`, `capt_…`): a cause is
        counted once, however often it is reported. A refund beyond what the shop owes makes the order cheaper, by a credit line in its
        next version with the `reference` and `reference_id` of `credited`. Returns the ids of the transactions that are new.
        Raises NotFound.
        """
        new: list[str] | None = await self._change(
            order_id, lambda order, at: changing.add_transactions(order, transactions, credited or {}, at)
        )
        return new or []

    # -- inside

    async def _with_room(self, query: Query) -> Page:
        """A page as text, each row of which has room for its `SLOTS`. The texts are made once for each stored order."""
        if unknown := set(query.slots) - SLOTS.keys():
            raise InvalidData(f"Orders have no room for {', '.join(sorted(unknown))}")
        plan = totalled(ORDER, tuple(query.fields))
        asked = replace(query, slots=(), fields=query.fields if plan is None else plan.fields)
        showing = self.statements.documents.showing(asked)

        def finished(rows: list[Row]) -> list[Row]:
            rows = rows if plan is None else plan.finish(rows)
            return [row | {name: f"{SLOT}{SLOTS[name](row)}" for name in query.slots} for row in rows]

        if showing is None:
            rows, count = await self._rows(asked)
            return Page.of(finished(rows), count)

        def render(text: str) -> bytes:
            return json.dumps(finished(self._out_of_documents("order", showing, [text]))[0])

        texts, count = await self.lists.page(asked)
        shape = pack((query.fields, query.with_deleted, query.slots))
        return Page(b"[%b]" % b",".join(self._rendered.of(shape, texts, render)), count)

    async def _change_whole(self, order_id: str, work: Callable[[Order, str], ChangedOrder]) -> tuple[str, Order | None]:
        """`_change`, and the order that it has written; None where it was written before."""
        written: Order | None = None

        def noted(order: Order, at: str) -> ChangedOrder:
            nonlocal written
            outcome = work(order, at)
            written = outcome.order or order
            return outcome

        return await self._change(order_id, noted), written

    async def _lines(self, query: Query, within: Within) -> Page:
        """All rows of a kind that one order holds. Their text is made once for each stored order."""

        def render(text: str) -> bytes:
            return json.dumps(within.show(self.statements.documents.opened(self.schema[within.root], json.loads(text))))

        texts = (await self.database.fetch_row(self.statements.whole(within.root, within.key)))[0]
        made = self._rendered.of(pack((query.entity, query.fields)), texts, render)
        return Page(made[0] if made else b"[]")

    async def _summary_at(self, order_id: str, version: int) -> Row:
        """The summary of a former version; empty where there is none."""
        row = await self.database.fetch_one(queries.FORMER, {"order_id": order_id, "version": version})
        former: Row = json.loads(row["fields"])["summary"] if row is not None else {}
        return former

    async def _former(self, query: Query, version: int) -> list[Row]:
        """What a query for one order shows of it as it was at a version that another one has followed: one row, or none."""
        lines = _LINES in FieldTree.parse(query.fields).children
        query = replace(query, filters={name: value for name, value in query.filters.items() if name != "version"}, count=False)
        if not lines:
            query = replace(query, fields=(*query.fields, f"{_LINES}.id"))
        row = await self.database.fetch_one(queries.FORMER, {"order_id": query.filters["id"], "version": version})
        if row is None:
            return []
        showing = self.statements.documents.showing(query)
        if showing is None:
            raise InvalidData("These fields can't be shown of a former version of an order")
        texts, _ = await self.lists.page(query)
        former = {**json.loads(row["fields"]), "document": json.loads(row["document"]), "document_schema": row["document_schema"]}
        rows = self._out_of_documents("order", showing, [json.dumps(json.loads(text) | former) for text in texts])
        return rows if lines else [{name: value for name, value in row.items() if name != _LINES} for row in rows]


def _version_in(query: Query) -> int | None:
    """The version of one order that a query asks for."""
    version = query.filters.get("version")
    if isinstance(query.filters.get("id"), str) and (isinstance(version, int) or (isinstance(version, str) and version.isdecimal())):
        return int(version)
    return None
