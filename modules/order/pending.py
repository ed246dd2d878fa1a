"""Changes that stay open until they are confirmed: a change is begun, gets actions, is previewed, and is confirmed or dropped.

Every write to a change raises its revision. What only adds actions begins with the change that its caller has read and is one statement,
which names the revision that was read; all else locks the change's row first. So the checks of either still hold when it writes. Dropping
deletes the change, and the return, claim or exchange that was begun with it. The order itself doesn't change before the change is
confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...commerce.types import Order
from ...core import json
from ...core.clock import iso, utc_now
from ...core.errors import Conflict, InvalidData, NotAllowed
from ...core.ids import new_id
from ...core.kept import OBJECT, BoundedCache
from ...core.message import reads, writes
from ...core.rows import Row
from ...core.service.context import ModuleContext
from ...core.sql.db.compiled import together
from ...core.sql.db.failures import Collided
from ...core.sql.read.rendered import Rendered
from . import changing, queries
from .after_sales import OPEN, order_change
from .changes.actions import ADJUSTING, amount, stamped
from .changes.applying import applied
from .changes.kinds import KINDS
from .open_change import (
    NONE_OPEN,
    SUBJECTS,
    Held,
    Priced,
    Seen,
    act_of,
    adds_only,
    cause_of,
    check_filled,
    is_as_seen,
    opened,
    undoing,
    with_revised,
)
from .previewing import shown_preview
from .schema import SCHEMA
from .types import Act, ActRevision, AtWork, Change, ChangeRevision, NewChange, Subject, Subjects
from .writing import Writing, as_time, columns_of

_ORDERS = 1024 * 1024
"""Bytes of ids that a process keeps."""
_ELSEWHERE = "The order's change is being changed elsewhere. Try again."
_EMPTY: Row = {name: [] for name in ("items", "shipping_methods", "credit_lines", "transactions")}
_EMPTY |= {"shipping_address": None, "billing_address": None}
_INTO = {"SHIPPING_ADD": "shipping_methods", "ITEM_ADD": "items"}
_FIELDS: Mapping[Subject, Sequence[str]] = {
    "return": ("*", "items.*"),
    "order_claim": ("*", "claim_items.*", "additional_items.*"),
    "order_exchange": ("*", "additional_items.*"),
}


class Pending(Writing):
    """The part of the order service for open changes."""

    def __init__(self, context: ModuleContext) -> None:
        super().__init__(context)
        self._orders: BoundedCache[str] = BoundedCache(_ORDERS)
        """The ids of orders by those of their returns, claims and exchanges: they never change."""
        self._rendered = Rendered()

    @writes(key="order_id", one_statement=True, answers=True)
    async def begin(
        self,
        order_id: str,
        change: NewChange,
        beside: Mapping[Subject, Mapping[str, Any]] | None = None,
        acts: Sequence[Act] = (),
        *,
        draft: bool = False,
    ) -> Change:
        """Begin a change of an order, or of a `draft`, with actions that are about the order alone. `beside`: the return, claim or
        exchange to be created with it (entity → row).

        Returns the change, with the order. Raises NotFound; InvalidData if the order is cancelled, is a draft (or isn't, with `draft`),
        has another open change, or doesn't allow one of the actions.
        """
        found = await self.at_work(order_id)
        order: Any = {**found["order"], "order_change": None}  # repeated, it would be the change that was begun
        row = {"id": new_id("ordch"), "order_id": order_id, "version": order["version"] + 1, "status": "pending", **change}
        begun: Any = {**dict.fromkeys(SUBJECTS), **row, "order": order, "subjects": {}}
        rows = [self._row(begun, act) for act in acts]
        if not self.is_repeated:
            changing.check_alive(order)
            changing.check_draft(order, draft)
            if found["change"] is not None:
                raise InvalidData(f"Order ({order_id}) already has an existing active order change")
            if rows:
                Held(begun).check(rows)
        causes = [
            (entity, [{**cause, "order_id": order_id, "order_version": order["version"]}]) for entity, cause in (beside or {}).items()
        ]
        kept = [self._kept(act) for act in rows]
        rows_of_it = [*causes, ("order_change", [row]), ("order_change_action", kept)]
        # nobody cancels the order meanwhile, or makes an order of a draft
        *_, made, done = await self._create_together(rows_of_it, seen=("order", {"id": order_id, "revision": order["revision"]}))
        whole: Any = {**made[0], "revision": 1, "actions": self._stored(done, kept), "order": order, "subjects": {}}
        first: Change = whole
        return first

    @writes(one_statement=lambda change, acts, *, seen=None: adds_only(change, seen), answers=True)
    async def add_acts(self, change: Change, acts: Sequence[Act], *, seen: Seen | None = None) -> Change:
        """Add actions to an open change, given as it was read with its order. Returns the change as it is then.

        `seen`, here and below: what the caller has worked out for that change. Raises InvalidData if the change isn't open, or the order
        doesn't allow one of the actions; Conflict if the change is another by now, so that what was worked out may be wrong.
        """
        if not adds_only(change, seen):
            return await self._add(await self._hold(change["id"], seen=seen, acts=acts), acts)
        held = await self._as_read(change, seen, acts)
        rows = [self._row(held.change, act) for act in acts]
        if not self.is_repeated:
            held.check([*held.change["actions"], *rows])
        return await self._added(held, rows)

    @writes(
        one_statement=lambda change, acts, given, *, seen=None: change["return_id"] is not None and adds_only(change, seen), answers=True
    )
    async def add_returning(self, change: Change, acts: Sequence[Act], given: Mapping[str, Any], *, seen: Seen | None = None) -> Change:
        """Add actions for the return of a claim or an exchange to its open change. The first ones create that return, with the columns
        `given` (`location_id`).

        Returns and raises what `add_acts` does.
        """
        if change["return_id"] is None:
            change, seen = await self._with_return(change, given, seen, acts)
        of_return: list[Act] = []
        for act in acts:
            of_return.append({**act, "return_id": change["return_id"]})
            if act["action"] == "RETURN_ITEM":
                of_return[-1] |= {"reference": "return", "reference_id": change["return_id"]}
        return await self.add_acts(change, of_return, seen=seen)

    @writes
    async def redirect(self, change: Change, return_id: str, given: Mapping[str, Any], *, seen: Seen) -> Change:
        """Change the `location_id` and other columns of the return of an open change, with what sending it back costs then (`seen`).

        Returns and raises what `add_acts` does.
        """
        held = await self._hold(change["id"], seen=seen)
        await self.update("return", [{"id": return_id, **given}])
        return await self._said(held)

    @writes
    async def revise_act(self, change: Change, act_id: str, given: ActRevision, *, seen: Seen | None = None) -> Change:
        """Change an action of an open change: the given fields of its `details`, its `amount`, `internal_note` and `line`.

        Raises NotFound if the change has no such action; else returns and raises what `add_acts` does.
        """
        held = await self._hold(change["id"], seen=seen)
        act_of(held.change, act_id)
        acts = with_revised(held.change["actions"], act_id, given)
        held.check(acts)
        kept = self._kept(next(act for act in acts if act["id"] == act_id))
        await self.update("order_change_action", [{"id": act_id, **{name: kept[name] for name in ("details", *given)}}])
        return await self._said(held)

    @writes
    async def remove_act(self, change: Change, act_id: str, *, seen: Seen | None = None) -> Change:
        """Remove an action from an open change. Returns the change as it is then. Raises NotFound; InvalidData if the change isn't open."""
        held = await self._hold(change["id"], seen=seen)
        act_of(held.change, act_id)
        await self.delete("order_change_action", [act_id])
        return await self._said(held)

    @writes
    async def carry_over(self, change_id: str, said: ChangeRevision, *, seen: Seen | None = None) -> None:
        """Have an open change carry its order's promotions over, and take off what was worked out for that (`seen`); without `seen` have it
        carry none over. Sets the other fields `said` of the change, too.

        Raises InvalidData if the change isn't open, or is of a kind that carries none over; Conflict if it is another by now.
        """
        held = await self._hold(change_id)
        change = held.change
        if seen is not None and not KINDS[change["change_type"]].takes.issuperset(ADJUSTING):
            raise InvalidData(f"A change of type {change['change_type']} doesn't carry promotions over")
        if seen is None:
            await self._adjust(held, [])
        else:
            await self._match(held, seen)
        await self._say(held)
        await self.update("order_change", [{"id": change_id, **said, "carry_over_promotions": seen is not None}])

    @writes(one_statement=True, answers=True)
    async def request(self, change: Change, *, by: str | None = None) -> Change:
        """Mark an open change, given as it was read with its order, as waiting for its confirmation. Returns the change as it is then.

        Raises InvalidData if it isn't open.
        """
        held = await self._as_read(change)
        change, at = held.change, iso(utc_now())
        said = {"status": "requested", "requested_by": by, "requested_at": at}
        as_read = {"id": change["id"], "expected": change["revision"]}
        if await self.answer(queries.REQUEST, {**as_read, **said, "requested_at": as_time(at)}) is None:
            raise Collided("The order's change was changed meanwhile.")
        was: Mapping[str, Any] = change
        self.keep(order_change, [({"id": change["id"], **{name: was[name] for name in said}}, {"id": change["id"], **said})])
        self.touch_rows("order_change", [change["id"]])
        whole: Any = {**change, **said, "revision": change["revision"] + 1}
        requested: Change = whole
        return requested

    @writes
    async def decline(self, change_id: str, *, by: str | None = None, reason: str | None = None) -> None:
        """Decline an open change: it is kept, and closed. Raises InvalidData if it isn't open."""
        await self._lock_change(change_id)
        said = {"status": "declined", "declined_by": by, "declined_reason": reason, "declined_at": iso(utc_now())}
        await self.update("order_change", [{"id": change_id, **said}])

    @writes
    async def drop(self, change_id: str, beside: Mapping[str, str] | None = None) -> None:
        """Delete an open change, and what was begun with it (entity → id). Raises InvalidData if it isn't open."""
        await self._lock_change(change_id)
        await self.delete("order_change", [change_id])
        for entity, id in (beside or {}).items():
            await self.delete(entity, [id])

    @writes(one_statement=lambda change, *, by=None, priced=None: KINDS[change["change_type"]].written is None, answers=True)
    async def confirm(self, change: Change, *, by: str | None = None, priced: Priced | None = None) -> None:
        """Confirm an open change: write the order's next version, and the other rows of its kind.

        `change`: the one for which the caller has reserved goods, bought labels or computed prices. `priced`: taxes and discounts of that
        version. Raises InvalidData if the change isn't open, lacks actions, or the order doesn't allow it; Conflict if it isn't that one
        any more; Collided if the order isn't the one that was priced.
        """
        kind, there = KINDS[change["change_type"]], Subjects()
        beside: list[tuple[str, Row]] = []
        of: Row = {column: change[column] for column in SUBJECTS if change[column] is not None}

        async def params() -> Mapping[str, Any]:
            nonlocal there
            now = opened(await self.at_work(change["order_id"], {"id": change["id"], **of}))
            if now["revision"] != change["revision"]:
                raise Conflict(_ELSEWHERE)
            order, acts, there, at = now["order"], now["actions"], now["subjects"], iso(utc_now())
            self._check_subjects(there)
            check_filled(kind, acts)
            changing.check_alive(order)
            kind.check(acts, there)
            if priced is not None and order["revision"] != priced["revision"]:
                raise Collided(f"Order {order['id']} was changed meanwhile.")
            after = applied(order, acts, at, priced["prices"] if priced is not None else None)
            beside.extend(kind.written(now, acts, there, at) if kind.written is not None else ())
            said = {"id": change["id"], "revision": change["revision"], "version": after["version"], "confirmed_by": by}
            confirmed = {f"change_{name}": value for name, value in {**said, "confirmed_at": as_time(at)}.items()}
            return self._changed(columns_of(order), after, changing.ChangedOrder(True, order=after)) | confirmed

        if await self.answer(queries.CONFIRM, params) is None:
            raise Collided(f"Order {change['order_id']} was changed meanwhile.")
        self.touch("order", "order_change", "order_change_action")
        await self._put(beside, there)

    @writes
    async def call_off(self, entity: Subject, id: str, *, by: str | None = None) -> Order:
        """Cancel a return, a claim or an exchange, in the order's next version: its items are neither requested back nor sent any more.
        Returns the changed order.

        Raises NotFound; NotAllowed if some of its items were returned or sent, or if it is cancelled already.
        """
        await self.database.fetch_value(queries.HOLD_THING[entity], {"id": id})
        column = cause_of(entity)
        subjects = await self._subjects({**dict.fromkeys(SUBJECTS), column: id})
        if subjects[entity]["canceled_at"] is not None:
            raise NotAllowed(f"{self.schema[entity].called} {id} is canceled already")
        order, at = await self.load(subjects[entity]["order_id"]), iso(utc_now())
        back = subjects.get("return")
        if back is not None and any(amount(item, "received_quantity") > 0 for item in back["items"]):
            raise NotAllowed("Can't cancel a return which has returned items")
        cause: Any = {column: id}
        acts: list[Act] = [{**act, **cause} for act in undoing(order, column, subjects)]
        outcome = changing.register(order, acts, {**cause, "created_by": by, "confirmed_by": by}, at)
        await self._write_changed(order, outcome)
        await self.update(entity, [{"id": id, "canceled_at": at, **({"status": "canceled"} if entity == "return" else {})}])
        if back is not None and entity != "return":
            await self.update("return", [{"id": back["id"], "status": "canceled", "canceled_at": at}])
        assert outcome.order is not None
        return outcome.order

    @reads
    async def preview(self, order_id: str) -> bytes:
        """Returns the JSON text of an order as it would be with its open change (see `shown_preview`). Where no change is open it is made
        once for each stored order.

        Raises NotFound.
        """
        open_ones = self._page("order_change", {"order_id": order_id, "status": list(OPEN)}, _WHOLE)
        texts, changes = await self.database.fetch_row(together(self.statements.whole("order", order_id), open_ones))
        found: list[Change] = json.loads(changes)
        if not texts or found:
            return json.dumps(shown_preview(self._of_texts(order_id, texts), self._opened(found[0]) if found else None))
        return self._rendered.of(b"preview", texts, lambda text: json.dumps(shown_preview(self._of_texts(order_id, [text]), None)))[0]

    @reads(key="order_id")
    async def at_work(self, order_id: str, of: Mapping[str, Any] | None = None) -> AtWork:
        """An order, and its open change with its actions and the lines that they add, in one statement. `of`: filters that the change has
        to pass, else it is None; where they name its return, claim or exchange by its id, that is read with it. Raises NotFound."""
        of = of or {}
        filters = {"order_id": order_id, "status": list(OPEN), **of}
        beside = {entity: of[column] for column, entity in SUBJECTS.items() if of.get(column) is not None}
        texts, changes, *things = await self.database.fetch_row(
            together(
                self.statements.whole("order", order_id),
                self._page("order_change", filters, _WHOLE),
                *(self._page(entity, {"id": id}, _FIELDS[entity]) for entity, id in beside.items()),
            )
        )
        found: list[Change] = json.loads(changes)
        subjects: Any = {entity: json.loads(thing)[0] for entity, thing in zip(beside, things, strict=True) if found}
        return {"order": self._of_texts(order_id, texts), "change": self._opened(found[0]) if found else None, "subjects": subjects}

    @reads
    async def at_work_of(self, entity: str, id: str, of: Mapping[str, Any]) -> AtWork:
        """`at_work` of the order of a return, a claim or an exchange, with the change that was begun for that. Raises NotFound."""
        found = await self.at_work(await self.order_of(entity, id), {**of, cause_of(entity): id})
        if found["change"] is None:
            await self.retrieve(entity, id, fields=("id",))  # it may have been deleted since
        return found

    @reads
    async def order_of(self, entity: str, id: str) -> str:
        """The id of the order of a return, a claim or an exchange. Raises NotFound."""
        order_id = self._orders.get(id)
        if order_id is None:
            order_id = str((await self.retrieve(entity, id, fields=("order_id",)))["order_id"])
            self._orders.keep(id, order_id, len(id) + len(order_id) + 2 * OBJECT)
        return order_id

    # -- inside

    async def _as_read(self, change: Change, seen: Seen | None = None, acts: Sequence[Act] = ()) -> Held:
        """An open change as its caller has read it, or as it is if that was old. Raises what `_hold` raises."""
        if self.begins_again:
            of: Row = {column: change[column] for column, entity in SUBJECTS.items() if entity in change["subjects"]}
            change = opened(await self.at_work(change["order_id"], {"id": change["id"], **of}))
            if seen is not None and not is_as_seen(change, seen, acts):
                raise Conflict(_ELSEWHERE)
        self._check_subjects(change["subjects"])
        return Held(change)

    async def _with_return(
        self, change: Change, given: Mapping[str, Any], seen: Seen | None, acts: Sequence[Act]
    ) -> tuple[Change, Seen | None]:
        """An open change of a claim or an exchange with a return, which is created unless somebody else has done so since, and the same
        `seen` of it. Raises what `_as_read` raises; Collided if it isn't as it was read any more."""
        change = (await self._as_read(change, seen, acts)).change
        if change["return_id"] is not None:
            return change, seen
        back, order = new_id("return"), change["order"]
        of_order = {"order_id": order["id"], "order_version": order["version"]}
        row = {"id": back, **of_order, "claim_id": change["claim_id"], "exchange_id": change["exchange_id"], **given}
        as_read = {"id": change["id"], "revision": change["revision"]}
        await self._create_together([("return", [row])], seen=("order_change", as_read))
        [(entity, subject)] = change["subjects"].items()
        things: Any = subject
        for of_it, id in ((entity, things["id"]), ("order_change", change["id"])):
            await self.update(of_it, [{"id": id, "return_id": back}])
        revision = change["revision"] + 2
        return {**change, "return_id": back, "revision": revision}, None if seen is None else {**seen, "revision": revision}

    async def _added(self, held: Held, rows: Sequence[Act]) -> Change:
        """Add actions to a change that is as it was read, by one statement. Raises Collided if it isn't any more."""
        change = held.change
        if not rows:
            return change
        kept = [self._kept(row) for row in rows]
        as_read = {"id": change["id"], "revision": change["revision"]}
        [made] = await self._create_together([("order_change_action", kept)], seen=("order_change", as_read))
        self.touch("order_change")
        return {**change, "revision": change["revision"] + 1, "actions": [*change["actions"], *self._stored(made, kept)]}

    async def _hold(self, change_id: str, *, seen: Seen | None = None, acts: Sequence[Act] = ()) -> Held:
        """Lock an open change, write the prices of shipping that were `seen` for it, and return it with all that it is about.

        Raises InvalidData if it isn't open, or if the return, claim or exchange that it is of is cancelled; Conflict if it isn't as it was
        seen, where the caller's write depends on that (see `is_as_seen`).
        """
        of = await self._lock_change(change_id)
        named: Row = {column: of[column] for column in SUBJECTS if of[column] is not None}
        change = opened(await self.at_work(of["order_id"], {"id": change_id, **named}))
        change["revision"] -= 1  # it was raised by locking it
        self._check_subjects(change["subjects"])
        held = Held(change)
        if seen is not None:
            await self._match(held, seen, acts)
        return held

    def _check_subjects(self, subjects: Subjects) -> None:
        """Raises InvalidData if the return, claim or exchange that a change is of is cancelled."""
        things: Any = subjects
        for entity, thing in things.items():
            if thing["canceled_at"] is not None:
                raise InvalidData(f"{self.schema[entity].called} with id {thing['id']} has been canceled.")

    async def _match(self, held: Held, seen: Seen, acts: Sequence[Act] = ()) -> None:
        """Write the prices of shipping that were `seen` for a change that is held. Raises Conflict as `_hold` does."""
        change, adjusting = held.change, seen["adjusting"]
        if not is_as_seen(change, seen, acts):
            raise Conflict(_ELSEWHERE)
        for act_id, quote in seen["quotes"].items():
            act = act_of(change, act_id)
            method: Any = act["line"]
            act |= {"amount": quote["amount"], "line": method | quote}
            kept = self._kept(act)
            await self.update("order_change_action", [{"id": act_id, "amount": kept["amount"], "line": kept["line"]}])
        if adjusting is not None:
            await self._adjust(held, adjusting)

    async def _adjust(self, held: Held, acts: Sequence[Act]) -> None:
        """Delete the actions that say what promotions take off, and have these take their place once all others are written."""
        change = held.change
        if former := [act["id"] for act in change["actions"] if act["action"] in ADJUSTING]:
            await self.delete("order_change_action", former)
        change["actions"] = [act for act in change["actions"] if act["action"] not in ADJUSTING]
        held.adjusting.extend(self._row(change, act) for act in acts)

    async def _add(self, held: Held, acts: Sequence[Act]) -> Change:
        """Add actions to a change that is held, and write what promotions take off then. Returns the change as it is then."""
        rows = [self._row(held.change, act) for act in acts]
        held.check([*held.change["actions"], *rows])
        if rows:
            await self.create("order_change_action", [self._kept(row) for row in rows])
        return await self._said(held)

    async def _said(self, held: Held) -> Change:
        """Write what promotions take off, after the other actions. Returns the change as it is then."""
        await self._say(held)
        self.touch("order_change")
        found: Any = await self.list("order_change", {"id": held.change["id"]}, fields=_WHOLE, limit=1)
        return {**held.change, **self._opened(found[0])}

    async def _say(self, held: Held) -> None:
        """Write what promotions take off, after the other actions."""
        if held.adjusting:
            await self.create("order_change_action", [self._kept(row) for row in held.adjusting])

    async def _lock_change(self, change_id: str) -> Row:
        """Lock an open change. Returns the ids of what it is of. Raises InvalidData if it isn't open."""
        held = await self.database.fetch_one(queries.HOLD_CHANGE, {"id": change_id, "statuses": list(OPEN)})
        if held is None:
            raise InvalidData(NONE_OPEN)
        return dict(held)

    async def _subjects(self, change: Mapping[str, Any]) -> Subjects:
        """The return, claim and exchange of a change, with their items."""
        rows: dict[str, Any] = {}
        for column, entity in SUBJECTS.items():
            if change[column] is not None:
                rows[entity] = await self.retrieve(entity, change[column], fields=_FIELDS[entity])
        back = next((row["return_id"] for row in rows.values() if row.get("return_id") is not None), None)
        if back is not None and "return" not in rows:
            rows["return"] = await self.retrieve("return", back, fields=_FIELDS["return"])
        subjects: Any = rows
        found: Subjects = subjects
        return found

    async def _put(self, rows: Sequence[tuple[str, Row]], there: Subjects) -> None:
        """Write the rows of a confirmed change: those that it is of (`there`) are updated, the others are new."""
        known = {row["id"] for subject in _each(there) for row in (subject, *_items_of(subject))}
        by_entity: dict[str, list[Row]] = {}
        for entity, row in rows:
            by_entity.setdefault(entity, []).append(row)
        for entity, of_entity in by_entity.items():
            new = [row for row in of_entity if row["id"] not in known]
            if taken := [row for row in of_entity if row["id"] in known]:
                await self.update(entity, taken)
            if new:
                await self.create(entity, new)

    def _row(self, change: Change, act: Act) -> Act:
        kind = KINDS[change["change_type"]]
        if act["action"] not in kind.takes:
            raise InvalidData(f"A change of type {kind.type} doesn't take {act['action']}")
        swap = change["change_type"] in ("claim", "exchange")  # the dashboard tells their outbound shipping by `return_id`: it has none
        return {
            "id": new_id("ordchact"),
            "order_change_id": change["id"],
            "order_id": change["order_id"],
            "version": change["version"],
            "return_id": None if swap else change["return_id"],
            "claim_id": change["claim_id"],
            "exchange_id": change["exchange_id"],
            "details": {},
            "line": None,
            **act,
        }

    def _kept(self, act: Act) -> Row:
        """An action as it is stored: its line is a document, with amounts as text."""
        line = act.get("line")
        if line is None:
            return {**act}
        stored = self.statements.documents.stored(SCHEMA["order"], {**_EMPTY, _INTO[act["action"]]: [stamped(line, iso(utc_now()))]})
        return {**act, "line": {name: json.loads(value) if isinstance(value, bytes) else value for name, value in stored.items()}}

    def _stored(self, made: Sequence[Row], kept: Sequence[Row]) -> list[Act]:
        """Actions that were just written, as they would be read."""
        rows: Any = [{**row, "line": was["line"]} for row, was in zip(made, kept, strict=True)]
        return [self._opened_act(row) for row in rows]

    def _opened(self, change: Change) -> Change:
        change["actions"].sort(key=lambda act: act["ordering"])
        for act in change["actions"]:
            self._opened_act(act)
        return change

    def _opened_act(self, act: Act) -> Act:
        if act["line"] is not None:
            row = {"id": act["order_id"], **act["line"]}
            act["line"] = self.statements.documents.opened(SCHEMA["order"], row)[_INTO[act["action"]]][0]
        return act


def _each(subjects: Subjects) -> list[Row]:
    rows: Any = subjects
    return list(rows.values())


def _items_of(subject: Row) -> list[Row]:
    return [row for name in ("items", "claim_items", "additional_items") for row in subject.get(name, ())]


_WHOLE = ("*", "revision", "actions.*", "actions.line")
