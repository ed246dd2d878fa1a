"""Changes of orders that are worked on before they are confirmed: flows that are rows.

    REQUEST_ITEMS = adding("request-item-return", "return_request", return_items)     # of a return, by its id: (id, given, user_id)
    REVISE_ITEM = revising("update-request-item-return", item_of)                     # (id, action_id, given)
    REMOVE_ITEM = removing("remove-item-return-action")                               # (id, action_id)

What a change is of is named by one id: of a return, a claim, an exchange, or of the order itself. Each of these flows is one write of the
order's module, which checks it by the order as it is by then; nothing of the order changes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from decimal import Decimal
from functools import partial
from typing import Any

from ...commerce.types import Line, NewLine, Order, TaxLine
from ...core.errors import InvalidData
from ...core.ids import new_id
from ...core.numbers import Amount
from ...core.rows import Row
from ...modules.order.changes.actions import PRICES
from ...modules.order.changing import check_draft
from ...modules.order.open_change import Priced, act_of, as_read, opened, with_quotes, with_revised
from ...modules.order.types import Act, ActDetails, ActRevision, Change, NewChange
from ..cart.context import load_context
from ..cart.pricing import update_tax_lines
from ..cart.sellables import by_hand, described, find_prices, load_prices, load_sellables, priced, whole
from ..kit import Flow, Kept, Workflow, step, workflow
from ..rows import written
from .adjusting import compute_adjustments, compute_draft_adjustments, working
from .changes import lock_of
from .ways import line_in, noted, quoted, sent_from

Acts = Callable[[Flow, Change, Row], Awaitable[list[Act]]]
"""Makes the actions to be added, from the open change and the request's body."""
Revised = Callable[[Flow, Change, Act, Row], Awaitable[ActRevision]]
"""Makes the new values of an action, from the open change, the action and the request's body."""

_ENTITY = {"return": "return", "claim": "order_claim", "oexc": "order_exchange", "order": "order"}

begin_change = written("begin-change", lambda modules: modules.order.begin)
add_acts = written("add-acts", lambda modules: modules.order.add_acts)
add_returning = written("add-returning-acts", lambda modules: modules.order.add_returning)
redirect = written("redirect-return", lambda modules: modules.order.redirect)
revise_act = written("revise-act", lambda modules: modules.order.revise_act)
remove_act = written("remove-act", lambda modules: modules.order.remove_act)
request_change = written("request-change", lambda modules: modules.order.request)
drop_change = written("drop-change", lambda modules: modules.order.drop)


async def thing_of(flow: Flow, entity: str, id: str) -> Row:
    """The return, claim, exchange or order that a change is of. Raises NotFound."""
    return await flow.modules.order.retrieve(entity, id)


async def open_change(flow: Flow, entity: str, id: str, *kinds: str, draft: bool | None = False) -> Change:
    """The open change of a thing, with its actions and its order; of one of these kinds. Raises NotFound; InvalidData where none is open,
    or where an order is wanted and it is a `draft`, or the other way round (None: it may be either)."""
    return await _opened(flow, entity, id, draft, {"change_type": list(kinds)} if kinds else {})


def without_order(change: Change) -> Change:
    """An open change without the order and what else was read with it: what a durable flow keeps of it."""
    rest: Any = {name: value for name, value in change.items() if name not in ("order", "subjects")}
    kept: Change = rest
    return kept


async def _opened(flow: Flow, entity: str, id: str, draft: bool | None, of: Row) -> Change:
    if entity != "order":
        return opened(await flow.modules.order.at_work_of(entity, id, of))
    found = await flow.modules.order.at_work(id, of)
    if draft is not None:
        check_draft(found["order"], draft)
    return opened(found)


def new_change(type: str, given: Row, created_by: str | None) -> NewChange:
    """A change before it is stored, with the given `description` and `internal_note`."""
    return {
        "change_type": type,
        "created_by": created_by,
        "description": given.get("description"),
        "internal_note": given.get("internal_note"),
    }


async def change_by(
    flow: Flow,
    change: Change,
    draft: bool,
    write: Any,
    *given: Any,
    after: Callable[[Sequence[Act]], Sequence[Act]] = lambda acts: acts,
    to: str | None = None,
) -> Change:
    """Make one write of an open change as it was read, with what sending costs then (`ways.quoted`), and with what promotions take off,
    where they are looked at again: of drafts, and where the change carries them over. Returns the change as it is then.

    `after`: the change's actions after the write, of those before. `to`: the location to which its return goes then, where it is another
    one. Raises Conflict where the change is being changed elsewhere.
    """
    quotes = await quoted(flow, change, after, to)
    adjusting = None
    if draft or change["carry_over_promotions"]:
        acts = with_quotes(after(change["actions"]), quotes)
        adjusting = await flow.run(compute_draft_adjustments if draft else compute_adjustments, change["order"], acts)
    done: Kept[Change] = await flow.run(write, change, *given, seen=as_read(change, quotes, adjusting))
    return done["answer"]


def _one_by_one(flow: Flow, id: str, draft: bool) -> AbstractAsyncContextManager[object]:
    """Promotions are looked at for each change of a draft: who comes meanwhile waits, and isn't refused."""
    return flow.lock(lock_of(id)) if draft else nullcontext()


def adding(name: str, entity: str, kind: str, acts: Acts, *, hooks: tuple[str, ...] = (), draft: bool = False) -> Workflow[..., Change]:
    """A flow that adds actions to the open change of a thing, or of a `draft`: (id, given, user_id=None); the change as it is then. What
    else it is called with is given, too: `item_id`."""

    async def add(flow: Flow, id: str, given: Row | None = None, user_id: str | None = None, **named: str) -> Change:
        async with _one_by_one(flow, id, draft):
            change = await open_change(flow, entity, id, kind, draft=draft)
            made = await acts(flow, change, {**(given or {}), **named})
            return await change_by(flow, change, draft, add_acts, made, after=lambda acts: [*acts, *made])

    return named(name, add, hooks=hooks)


def returning(name: str, entity: str, kind: str, acts: Acts, *, hooks: tuple[str, ...] = ()) -> Workflow[..., Change]:
    """A flow that adds actions about what comes back with a claim or an exchange: (id, given); the change as it is then. The first ones
    begin the return."""

    async def add(flow: Flow, id: str, given: Row) -> Change:
        change = await open_change(flow, entity, id, kind)
        made = await acts(flow, change, given)
        of_return = {"location_id": given.get("location_id") or await sent_from(flow, change["order_id"])}
        return await change_by(flow, change, False, add_returning, made, of_return, after=lambda acts: [*acts, *made])

    return named(name, add, hooks=hooks)


def revising(name: str, revised: Revised, *, hooks: tuple[str, ...] = (), draft: bool = False) -> Workflow[..., Change]:
    """A workflow that changes an action of an open change: (id, action_id, given). Returns the change as it is then."""

    async def revise(flow: Flow, id: str, action_id: str, given: Row) -> Change:
        async with _one_by_one(flow, id, draft):
            change, act = await _act(flow, id, action_id, draft=draft)
            made = await revised(flow, change, act, given)
            after = partial(with_revised, act_id=action_id, given=made)
            return await change_by(flow, change, draft, revise_act, action_id, made, after=after)

    return named(name, revise, hooks=hooks)


def removing(name: str, *, draft: bool = False) -> Workflow[..., Change]:
    """A workflow that removes an action from an open change: (id, action_id). Returns the change as it is then."""

    async def remove(flow: Flow, id: str, action_id: str) -> Change:
        def after(acts: Sequence[Act]) -> list[Act]:
            return [act for act in acts if act["id"] != action_id]

        async with _one_by_one(flow, id, draft):
            change, _ = await _act(flow, id, action_id, draft=draft)
            return await change_by(flow, change, draft, remove_act, action_id, after=after)

    return named(name, remove)


def dropping(name: str, entity: str, kind: str, *, keeps: bool = False) -> Workflow[..., str]:
    """A workflow that drops an open change, and its return, claim or exchange unless it `keeps` that: (id). Returns the order's id."""

    async def drop(flow: Flow, id: str) -> str:
        change = await open_change(flow, entity, id, kind)
        thing = await thing_of(flow, entity, id)
        back = {"return": thing["return_id"]} if thing.get("return_id") is not None else {}
        await flow.run(drop_change, change["id"], None if keeps else {entity: id, **back})
        return str(change["order_id"])

    return named(name, drop)


def named(name: str, function: Any, **options: Any) -> Workflow[..., Any]:
    """A workflow of a function that was made for it, with the options of `workflow`."""
    function.__qualname__ = f"{function.__name__}({name!r})"
    made: Workflow[..., Any] = workflow(name, **options)(function)
    return made


async def _act(flow: Flow, id: str, action_id: str, *, draft: bool) -> tuple[Change, Act]:
    """An open change and one of its actions. Raises NotFound; InvalidData if no change is open."""
    change = await _opened(flow, _ENTITY.get(id.partition("_")[0], "order"), id, draft, {})
    return change, act_of(change, action_id)


# -- lines


def said(given: Mapping[str, Any], *names: str) -> Any:
    """The given ones of these fields. The caller declares the type."""
    return {name: given[name] for name in names if given.get(name) is not None}


async def line_acts(
    flow: Flow, change: Change, given: Row, action: str, *details: str, reference: str, reference_id: str | None
) -> list[Act]:
    """Actions on lines of the order (`items`), with their prices. Raises InvalidData for unknown lines, and for quantities not above
    zero."""
    order = change["order"]
    lines = {line["id"]: line for line in order["items"]}
    if unknown := [item["id"] for item in given["items"] if item["id"] not in lines]:
        raise InvalidData(f"Items with ids {', '.join(unknown)} does not exist in order with id {order['id']}.")
    for item in given["items"]:
        if item["quantity"] <= 0:
            raise InvalidData(f"Quantity of item {item['id']} is required.")
    return [
        {
            "action": action,
            "reference": reference,
            "reference_id": reference_id,
            "details": _about(item["id"], item["quantity"], said(item, *details, "metadata")),
            "amount": lines[item["id"]]["unit_price"] * item["quantity"],
            "internal_note": item.get("internal_note"),
        }
        for item in given["items"]
    ]


async def revised_line(flow: Flow, change: Change, act: Act, given: Row) -> ActRevision:
    """New values of an action on units of a line: quantity, reason and note."""
    made = noted(given)
    made["details"] = said(given, "quantity", "reason_id", "reason", "metadata")
    amount = act["amount"]
    if given.get("quantity") is not None and amount is not None:
        quantity = Decimal(str(act["details"]["quantity"]))
        made["amount"] = amount / quantity * given["quantity"]
    return made


async def item_acts(flow: Flow, change: Change, given: Row) -> list[Act]:
    """Acts that add lines (`items`) of variants, at today's price or at a `unit_price`, or of what has but a `title`; with their taxes.

    Raises InvalidData for what can't be bought here or has no price, and for quantities that are no whole numbers above zero.
    """
    order = change["order"]
    cart_context = await load_context(flow, order["region_id"], order["customer_id"])
    lines = [{**item, "quantity": whole(item["quantity"]), "id": new_id("ordli")} for item in given["items"]]
    if any(item["quantity"] <= 0 for item in lines):
        raise InvalidData("Item quantity must be greater than 0")
    draft = working(order, items=[], shipping_methods=[])
    items = [item for item in lines if item.get("variant_id")]
    for item in lines:
        if not item.get("variant_id"):
            custom_line = by_hand(item)
            custom_line["id"] = item["id"]
            draft.put_item(custom_line)
    sellables = await load_sellables(flow, [item["variant_id"] for item in items], order["sales_channel_id"], order["locale"])
    context = cart_context.pricing(draft)
    quantities = {item["variant_id"]: item["quantity"] for item in items}
    asked = {item["variant_id"]: item["quantity"] for item in items if item.get("unit_price") is None}
    sets = {id: price_set for id in quantities if (price_set := sellables[id].price_set_id) is not None}
    prices = {**await find_prices(flow, sets, quantities, context), **await load_prices(flow, sellables, asked, context)}
    for item in items:
        custom = said(item, "unit_price", "compare_at_unit_price")
        line: NewLine = {
            "id": item["id"],
            "variant_id": item["variant_id"],
            "quantity": item["quantity"],
            "metadata": item.get("metadata") or {},
            "is_custom_price": "unit_price" in custom,
        }
        line = {**line, **described(sellables[item["variant_id"]])}
        line["title"] = item.get("title") or line["title"]
        if item["variant_id"] in prices:
            line = {**line, **priced(prices[item["variant_id"]])}
        if "unit_price" in custom:
            line["unit_price"] = custom["unit_price"]
        if "compare_at_unit_price" in custom:
            line["compare_at_unit_price"] = custom["compare_at_unit_price"]
        draft.put_item(line)
    await flow.run(update_tax_lines, order["id"], loaded=(draft, cart_context))
    made = {line["id"]: line for line in draft.items}
    return [_added(made[item["id"]], item) for item in lines]


def _added(line: Line, item: Row) -> Act:
    """The action that adds a line."""
    columns: Mapping[str, Any] = line
    prices: Any = {name: columns[name] for name in PRICES}
    taxes: list[TaxLine] = [{**tax, "id": new_id("ordlitxl")} for tax in line["tax_lines"]]
    detail = {"id": new_id("orditem"), "quantity": line["quantity"], **prices, "metadata": item.get("metadata")}
    added: Any = {**line, "tax_lines": taxes, "adjustments": [], "detail": detail}
    return {
        "action": "ITEM_ADD",
        "details": _about(line["id"], line["quantity"], prices | said(item, "metadata")),
        "amount": line["unit_price"] * line["quantity"],
        "internal_note": item.get("internal_note"),
        "line": added,
    }


async def revised_item(flow: Flow, change: Change, act: Act, given: Row) -> ActRevision:
    """New values of an action that adds a line or changes its quantity: quantity, prices and note."""
    made = noted(given)
    if act["action"] != "ITEM_ADD":
        order = change["order"]
        again = updating(order, act["details"]["reference_id"], {**act["details"], **said(given, "quantity", *PRICES)})
        return {**made, "details": again["details"], "amount": again["amount"]}
    new = said(given, "quantity", *PRICES)
    line = line_in(act) | new
    line |= {"quantity": whole(line["quantity"]), "is_custom_price": line["is_custom_price"] or "unit_price" in new}
    if line["quantity"] <= 0:
        raise InvalidData("Item quantity must be greater than 0")
    line["detail"] = {**line["detail"], **new}
    return {**made, "details": new, "amount": line["unit_price"] * line["quantity"], "line": line}


def _about(line_id: str, quantity: Amount, more: ActDetails) -> ActDetails:
    """The details of an action on units of a line."""
    return {**more, "reference_id": line_id, "quantity": quantity}


def updating(order: Order, item_id: str, given: Row) -> Act:
    """The action that sets the quantity of a line, and its prices if given. Raises InvalidData if the order has no such line."""
    line = next((line for line in order["items"] if line["id"] == item_id), None)
    if line is None:
        raise InvalidData(f"Items with ids {item_id} does not exist in order with id {order['id']}.")
    quantity, before = Decimal(str(given["quantity"])), Decimal(line["detail"]["quantity"])
    if quantity < 0:
        raise InvalidData(f"Quantity of item {item_id} can't be below zero.")
    price = given.get("unit_price")
    cost = Decimal(str(price)) if price is not None else Decimal(line["unit_price"])
    return {
        "action": "ITEM_UPDATE",
        "details": {**_about(item_id, quantity, said(given, *PRICES, "metadata")), "quantity_diff": quantity - before},
        "amount": cost * quantity - line["unit_price"] * before,
        "internal_note": given.get("internal_note"),
    }


# -- confirmed


@step(pivot=True)
async def confirm_change(flow: Flow, change: Change, by: str | None, priced: Priced | None = None) -> None:
    """Confirm a change, for which goods are reserved and labels bought by now. Raises Conflict where it isn't as it was read."""
    await flow.modules.order.confirm(change, by=by, priced=priced)


def quantities_of(acts: Sequence[Act], *actions: str) -> list[tuple[str, Decimal]]:
    """Pairs of a line's id and the quantity, from the actions of these kinds."""
    return [(act["details"]["reference_id"], Decimal(str(act["details"]["quantity"]))) for act in acts if act["action"] in actions]
