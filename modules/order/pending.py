"""Changes that stay open until they are confirmed: a change is begun, gets actions, is previewed, and is confirmed or dropped.

Every write to a change locks its row first, so that its checks still hold when it writes. Dropping deletes the change, and the return,
claim or exchange that was begun with it. The order itself doesn't change before the change is confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypedDict

from ...commerce.types import Order
from ...core import json
from ...core.clock import iso, utc_now
from ...core.errors import Conflict, InvalidData, NotAllowed, NotFound
from ...core.ids import new_id
from ...core.message import reads, writes
from ...core.numbers import Amount
from ...core.rows import Row
from ...core.sql.db.compiled import together
from ...core.sql.db.failures import Collided
from . import changing, queries
from .after_sales import OPEN
from .changes.actions import ADJUSTING, amount, details_of, stamped
from .changes.applying import Prices, applied, previewed
from .changes.kinds import KINDS, ChangeKind
from .schema import SCHEMA
from .types import Act, ActRevision, AtWork, Cause, Change, ChangeRevision, NewChange, PreviewedOrder, Subject, Subjects
from .writing import Writing, as_time

NONE_OPEN = "An active Order Change is required to proceed"
_ELSEWHERE = "The order's change is being changed elsewhere. Try again."
_EMPTY: Row = {name: [] for name in ("items", "shipping_methods", "credit_lines", "transactions")}
_EMPTY |= {"shipping_address": None, "billing_address": None}
_INTO = {"SHIPPING_ADD": "shipping_methods", "ITEM_ADD": "items"}
_FIELDS: Mapping[Subject, Sequence[str]] = {
    "return": ("*", "items.*"),
    "order_claim": ("*", "claim_items.*", "additional_items.*"),
    "order_exchange": ("*", "additional_items.*"),
}
_SUBJECTS: Mapping[Cause, Subject] = {"return_id": "return", "claim_id": "order_claim", "exchange_id": "order_exchange"}


class Priced(TypedDict):
    """Taxes and discounts, and the order that they were computed for."""

    revision: int
    """The order's revision."""
    prices: Prices


class Quote(TypedDict):
    """What a way of sending costs."""

    amount: Decimal
    is_tax_inclusive: bool


class Seen(TypedDict):
    """An open change as it was read by who writes to it, and what was worked out for that."""

    at: str
    """When its own row was last written: also when its return is to come back to another location."""
    carries: bool
    """Whether it carries promotions over."""
    acts: Sequence[tuple[str, str]]
    """Its actions, but for those that say what promotions take off: each one's id, and when it was last written."""
    quotes: Mapping[str, Quote]
    """What ways of sending that are in it cost after the write, by the action's id; those that stay as they are aren't named."""
    adjusting: Sequence[Act] | None
    """Actions that say what promotions take off after the write, in the place of those that say so now; None: these stay."""


def as_read(change: Change, quotes: Mapping[str, Quote], adjusting: Sequence[Act] | None = None) -> Seen:
    """What is to be said of a change by who writes to it. `quotes` and `adjusting` see `Seen`."""
    carries = bool(change["carry_over_promotions"])
    return {"at": change["updated_at"], "carries": carries, "acts": _written(change), "quotes": quotes, "adjusting": adjusting}


def with_quotes(acts: Sequence[Act], quotes: Mapping[str, Quote]) -> list[Act]:
    """Actions, with new prices of the ways of sending that they add, by their ids."""
    made: list[Act] = []
    for act in acts:
        quote = quotes.get(act.get("id", ""))
        method: Any = act.get("line")
        priced: Any = act if quote is None else {**act, "amount": quote["amount"], "line": {**method, **quote}}
        made.append(priced)
    return made


def _written(change: Change) -> list[tuple[str, str]]:
    return sorted((act["id"], act["updated_at"]) for act in change["actions"] if act["action"] not in ADJUSTING)


def with_revised(acts: Sequence[Act], act_id: str, given: ActRevision) -> list[Act]:
    """Actions, one of them with what is given: all of it but `details`, of which those stay that aren't named."""
    revised: list[Act] = []
    for act in acts:
        revision: Any = {**given, "details": {**details_of(act), **details_of(given)}} if act["id"] == act_id else {}
        revised.append({**act, **revision})
    return revised


class Pending(Writing):
    """The part of the order service for open changes."""

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

        Returns the change. Raises NotFound; InvalidData if the order is cancelled, is a draft (or isn't, with `draft`), has another open
        change, or doesn't allow one of the actions.
        """
        found = await self.at_work(order_id)
        order = found["order"]
        row = {"id": new_id("ordch"), "order_id": order_id, "version": order["version"] + 1, "status": "pending", **change}
        begun: Any = {**dict.fromkeys(_SUBJECTS), **row}
        rows = [self._row(begun, act) for act in acts]
        if not self.is_repeated:
            changing.check_alive(order)
            changing.check_draft(order, draft)
            if found["change"] is not None:
                raise InvalidData(f"Order ({order_id}) already has an existing active order change")
            if rows:
                Held(begun, order, {}).check(rows)
        causes = [
            (entity, [{**cause, "order_id": order_id, "order_version": order["version"]}]) for entity, cause in (beside or {}).items()
        ]
        kept = [self._kept(act) for act in rows]
        rows_of_it = [*causes, ("order_change", [row]), ("order_change_action", kept)]
        # nobody cancels the order meanwhile, or makes an order of a draft
        *_, made, _ = await self._create_together(rows_of_it, seen=("order", {"id": order_id, "revision": order["revision"]}))
        first: Change = made[0]
        return first

    @writes
    async def add_acts(self, change_id: str, acts: Sequence[Act], *, seen: Seen | None = None) -> list[str]:
        """Add actions to an open change. Returns their ids.

        `seen`, here and below: the change as the caller read it. Raises InvalidData if the change isn't open, or the order doesn't allow
        one of the actions; Conflict if the change is another by now, so that what was worked out may be wrong.
        """
        return await self._add(await self._hold(change_id, seen=seen, acts=acts), acts)

    @writes
    async def add_returning(self, change_id: str, acts: Sequence[Act], given: Mapping[str, Any], *, seen: Seen | None = None) -> list[str]:
        """Add actions for the return of a claim or an exchange to its open change. The first ones create that return, with the columns
        `given` (`location_id`).

        Returns their ids. Raises what `add_acts` raises.
        """
        held = await self._hold(change_id, seen=seen, acts=acts)
        change, order = held.change, held.order
        entity: Literal["order_claim", "order_exchange"] = "order_claim" if "order_claim" in held.subjects else "order_exchange"
        subject = held.subjects[entity]
        back = subject["return_id"]
        if back is None:
            back = new_id("return")
            of = {
                "order_id": order["id"],
                "order_version": order["version"],
                "claim_id": change["claim_id"],
                "exchange_id": change["exchange_id"],
            }
            await self.create("return", [{"id": back, **of, **given}])
            for of_it, id in ((entity, subject["id"]), ("order_change", change_id)):
                await self.update(of_it, [{"id": id, "return_id": back}])
        of_return: list[Act] = []
        for act in acts:
            of_return.append({**act, "return_id": back})
            if act["action"] == "RETURN_ITEM":
                of_return[-1] |= {"reference": "return", "reference_id": back}
        return await self._add(held, of_return)

    @writes
    async def redirect(self, change_id: str, return_id: str, given: Mapping[str, Any], *, seen: Seen) -> None:
        """Change the `location_id` and other columns of the return of an open change, with what sending it back costs then (`seen`).

        Raises what `add_acts` raises.
        """
        held = await self._hold(change_id, seen=seen)
        await self._say(held)
        await self.update("return", [{"id": return_id, **given}])
        await self.update("order_change", [{"id": change_id, "return_id": return_id}])  # who read it before doesn't write for the old place

    @writes
    async def revise_act(self, change_id: str, act_id: str, given: ActRevision, *, seen: Seen | None = None) -> str:
        """Change an action of an open change: the given fields of its `details`, its `amount`, `internal_note` and `line`. Returns its id.

        Raises NotFound if the change has no such action; else what `add_acts` raises.
        """
        held = await self._hold(change_id, seen=seen)
        _act_of(held.change, act_id)
        acts = with_revised(held.change["actions"], act_id, given)
        held.check(acts)
        kept = self._kept(next(act for act in acts if act["id"] == act_id))
        await self.update("order_change_action", [{"id": act_id, **{name: kept[name] for name in ("details", *given)}}])
        await self._say(held)
        self.touch("order_change")
        return act_id

    @writes
    async def remove_act(self, change_id: str, act_id: str, *, seen: Seen | None = None) -> str:
        """Remove an action from an open change. Returns its id. Raises NotFound; InvalidData if the change isn't open."""
        held = await self._hold(change_id, seen=seen)
        _act_of(held.change, act_id)
        await self.delete("order_change_action", [act_id])
        await self._say(held)
        self.touch("order_change")
        return act_id

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

    @writes
    async def request(self, change_id: str, *, by: str | None = None) -> None:
        """Mark an open change as waiting for its confirmation. Raises InvalidData if it isn't open."""
        await self._lock_change(change_id)
        await self.update("order_change", [{"id": change_id, "status": "requested", "requested_by": by, "requested_at": iso(utc_now())}])

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

    @writes
    async def confirm(self, change_id: str, *, by: str | None = None, seen: Seen | None = None, priced: Priced | None = None) -> Order:
        """Confirm an open change: write the order's next version, and the other rows of its kind. Returns the changed order.

        `seen`: the change that the caller has reserved goods, bought labels or computed prices for. `priced`: taxes and discounts of that
        version. Raises InvalidData if the change isn't open, lacks actions, or the order doesn't allow it; Conflict if the change isn't as
        it was seen; Collided if the order isn't the one that was priced.
        """
        held = await self._hold(change_id, seen=seen, whole=True)
        change, order = held.change, held.order
        kind, acts, at = KINDS[change["change_type"]], change["actions"], iso(utc_now())
        check_filled(kind, acts)
        changing.check_alive(order)
        kind.check(acts, held.subjects)
        if priced is not None and order["revision"] != priced["revision"]:
            raise Collided(f"Order {order['id']} was changed meanwhile.")
        after = applied(order, acts, at, priced["prices"] if priced is not None else None)
        await self._write_changed(order, changing.ChangedOrder(True, order=after))
        said = {"id": change_id, "version": after["version"], "confirmed_by": by, "confirmed_at": as_time(at)}
        await self.database.execute(queries.CONFIRM, said)
        await self._put(kind.written(change, acts, held.subjects, at), held.subjects)
        return after

    @writes
    async def call_off(self, entity: Subject, id: str, *, by: str | None = None) -> Order:
        """Cancel a return, a claim or an exchange, in the order's next version: its items are neither requested back nor sent any more.
        Returns the changed order.

        Raises NotFound; NotAllowed if some of its items were returned or sent, or if it is cancelled already.
        """
        await self.database.fetch_value(queries.HOLD_THING[entity], {"id": id})
        column = next(column for column, of in _SUBJECTS.items() if of == entity)
        subjects = await self._subjects({**dict.fromkeys(_SUBJECTS), column: id})
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
    async def preview(self, order_id: str, *, adjusted: bool = True) -> PreviewedOrder:
        """Returns an order as it would be with its open change, and the change as `order_change` (None: no change is open).

        Raises NotFound. `adjusted` off: without the discounts that the change sets.
        """
        found = await self.at_work(order_id)
        change = found["change"]
        acts = change["actions"] if change is not None else []
        done = acts if adjusted else [act for act in acts if act["action"] not in ADJUSTING]
        after = previewed(found["order"], done, iso(utc_now()))
        if change is None:
            after["summary"] = found["order"]["summary"]
        return {**after, "order_change": change}

    @reads(key="order_id")
    async def at_work(self, order_id: str, of: Mapping[str, Any] | None = None) -> AtWork:
        """An order, and its open change with its actions and the lines that they add, in one statement. `of`: filters that the change has
        to pass, else it is None. Raises NotFound."""
        filters = {"order_id": order_id, "status": list(OPEN), **(of or {})}
        texts, changes = await self.database.fetch_row(
            together(self.statements.whole("order", order_id), self._page("order_change", filters, _WHOLE))
        )
        found: list[Change] = json.loads(changes)
        return {"order": self._of_texts(order_id, texts), "change": self._opened(found[0]) if found else None}

    @reads(key="order_id")
    async def open_change(self, order_id: str, of: Mapping[str, Any]) -> Change | None:
        """The open change of `at_work` alone, of an order that is no draft."""
        filters = {"order_id": order_id, "status": list(OPEN), "order": {"is_draft_order": False}, **of}
        found: list[Change] = await self.list("order_change", filters, fields=_WHOLE, limit=1)
        return self._opened(found[0]) if found else None

    # -- inside

    async def _hold(self, change_id: str, *, seen: Seen | None = None, acts: Sequence[Act] = (), whole: bool = False) -> Held:
        """Lock an open change, write the prices of shipping that were `seen` for it, and return it with all that it is about.

        Raises InvalidData if it isn't open, or if the return, claim or exchange that it is of is cancelled; Conflict if its
        `carry_over_promotions` isn't as it was seen, or if something else isn't that the caller's write depends on: the `whole` change, as
        do discounts, and the price of a shipping method, which may be among its actions or the `acts` to come.
        """
        of = await self._lock_change(change_id)
        beside = {entity: of[column] for column, entity in _SUBJECTS.items() if of[column] is not None}
        order_id = of["order_id"]
        texts, changes, *things = await self.database.fetch_row(
            together(
                self.statements.whole("order", order_id),
                self._page("order_change", {"id": change_id}, _WHOLE),
                *(self._page(entity, {"id": id}, _FIELDS[entity]) for entity, id in beside.items()),
            )
        )
        change = self._opened(json.loads(changes)[0])
        subjects: Any = {entity: json.loads(thing)[0] for entity, thing in zip(beside, things, strict=True)}
        for entity, thing in subjects.items():
            if thing["canceled_at"] is not None:
                raise InvalidData(f"{self.schema[entity].called} with id {thing['id']} has been canceled.")
        held = Held(change, self._of_texts(order_id, texts), subjects)
        if seen is not None:
            await self._match(held, seen, acts, whole)
        return held

    async def _match(self, held: Held, seen: Seen, acts: Sequence[Act] = (), whole: bool = False) -> None:
        """Write the prices of shipping that were `seen` for a change that is held. Raises Conflict as `_hold` does."""
        change, adjusting = held.change, seen["adjusting"]
        whole = whole or adjusting is not None or any(act["action"] == "SHIPPING_ADD" for act in (*change["actions"], *acts))
        same = (change["updated_at"], _written(change)) == (seen["at"], [tuple(act) for act in seen["acts"]])
        if bool(change["carry_over_promotions"]) != seen["carries"] or (whole and not same):
            raise Conflict(_ELSEWHERE)
        for act_id, quote in seen["quotes"].items():
            act = _act_of(change, act_id)
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

    async def _add(self, held: Held, acts: Sequence[Act]) -> list[str]:
        """Add actions to a change that is held, and write what promotions take off then. Returns the ids of the former."""
        rows = [self._row(held.change, act) for act in acts]
        held.check([*held.change["actions"], *rows])
        if rows or held.adjusting:
            await self.create("order_change_action", [self._kept(row) for row in (*rows, *held.adjusting)])
        self.touch("order_change")
        return [row["id"] for row in rows]

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
        for column, entity in _SUBJECTS.items():
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


@dataclass(frozen=True, slots=True)
class Held:
    """An open change that is locked, and what it is about."""

    change: Change
    order: Order
    subjects: Subjects
    adjusting: list[Act] = field(default_factory=list)
    """Actions that say what promotions take off, to be written after all others."""

    def check(self, acts: Sequence[Act]) -> None:
        """Raises InvalidData if the change can't consist of these actions."""
        KINDS[self.change["change_type"]].check(acts, self.subjects)
        previewed(self.order, acts, iso(utc_now()))


def _each(subjects: Subjects) -> list[Row]:
    rows: Any = subjects
    return list(rows.values())


def _items_of(subject: Row) -> list[Row]:
    return [row for name in ("items", "claim_items", "additional_items") for row in subject.get(name, ())]


_WHOLE = ("*", "actions.*", "actions.line")


def undoing(order: Order, column: Cause, subjects: Subjects) -> list[Act]:
    """The actions that undo what a return, claim or exchange has done to an order; `column` says which of them it is.

    Raises NotAllowed if some of its items were sent.
    """
    lines = {line["id"]: line for line in order["items"]}
    back, claim = subjects.get("return"), subjects.get("order_claim")
    swap = claim or subjects.get("order_exchange")
    asked_back = back["items"] if back is not None and back["canceled_at"] is None else ()
    acts = [_about("CANCEL_RETURN_ITEM", item["item_id"], item["quantity"]) for item in asked_back]
    if claim is not None:  # lines that weren't sent may have been taken out since
        acts += [_about("REINSTATE_ITEM", item["item_id"], item["quantity"]) for item in claim["claim_items"] if item["item_id"] in lines]
    for item in swap["additional_items"] if swap is not None else ():
        line = lines.get(item["item_id"])
        if line is None:
            continue
        if amount(line["detail"], "fulfilled_quantity") > 0:
            raise NotAllowed("All fulfillments must be canceled before canceling a claim or an exchange")
        acts.append(_about("ITEM_UPDATE", item["item_id"], 0))
    (id,) = (subjects[entity]["id"] for of, entity in _SUBJECTS.items() if of == column)
    methods = [method["id"] for method in order["shipping_methods"] if method["detail"].get(column) == id]
    acts += [Act(action="SHIPPING_REMOVE", reference="order_shipping_method", reference_id=id) for id in methods]
    return acts


def _about(action: str, line: str, quantity: Amount) -> Act:
    return {"action": action, "details": {"reference_id": line, "quantity": quantity}}


def check_filled(kind: ChangeKind, acts: Sequence[Act]) -> None:
    """Raises InvalidData if a change lacks the actions that its kind needs."""
    there = {act["action"] for act in acts} & kind.needs
    if (kind.needs - there) if kind.each else (kind.needs and not there):
        raise InvalidData(kind.nothing)


def _act_of(change: Change, act_id: str) -> Act:
    for act in change["actions"]:
        if act["id"] == act_id:
            return act
    raise NotFound(f"Order change action with id: {act_id} was not found")
