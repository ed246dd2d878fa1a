"""What changes in an order, and what is written down of it: pure functions over whole orders, no database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypedDict

from ...commerce.types import Address, NewTransaction, Order, OrderTransaction, Summary
from ...core.emails import email_address
from ...core.errors import InvalidData, NotAllowed
from ...core.ids import new_id
from ...core.numbers import difference, total
from ...core.rows import Row
from ...core.sql.write.merging import merged
from .changes.applying import applied, taken_back
from .placing import ADDRESSES, summary
from .tables import order_address
from .types import Act

_COLUMNS = ("email", "customer_id", "locale", "metadata")
"""What an amendment may change besides addresses."""
_TOLD = ("email", "customer_id", "sales_channel_id", "locale", "metadata")
"""What of that is written down as a change of its own, with what it was before; addresses are, too."""
_OWN = frozenset({"id", "root_id", "created_at", "updated_at", "deleted_at"})
_ADDRESS = tuple(f"{column.name}" for column in order_address.c if column.name not in _OWN)
"""Columns of an address that a new one takes over."""


class Amendment(TypedDict):
    """What was changed in an order, by name, and the changes that were written down."""

    before: Row
    after: Row
    changes: list[str]


@dataclass(slots=True)
class ChangedOrder:
    """What is to be written of an order that was changed in place."""

    answer: Any
    order: Order | None = None
    """What it is then; None: it was changed in place."""
    changes: list[Row] = field(default_factory=list)
    """Rows of `order_change`."""
    actions: list[Row] = field(default_factory=list)
    """Rows of `order_change_action`."""
    withdrawn: Sequence[str] = ()
    """Changes that are taken back."""

    def write_down(self, order: Order, at: str, *acts: Mapping[str, object], **change: Any) -> str:
        """A change that has been made already, by these actions. Returns its id."""
        id, version = new_id("ordch"), order["version"]
        self.changes.append({"id": id, "version": version, "status": "confirmed", "confirmed_at": at, "created_at": at, **change})
        self.actions += [{"id": new_id("ordchact"), "order_change_id": id, "version": version, "applied": True, **act} for act in acts]
        return id


def amend(order: Order, given: Mapping[str, Any], by: str | None, at: str, *, draft: bool = False) -> ChangedOrder:
    """Change what an order says about its buyer. The outcome's answer is an `Amendment`. See `OrderService.amend`."""
    if order["status"] == "canceled":
        raise NotAllowed("A canceled order can't be changed")
    columns = (*_COLUMNS, "sales_channel_id") if draft else _COLUMNS
    if draft:
        check_draft(order, True)
    if unknown := given.keys() - {*columns, *ADDRESSES}:
        raise InvalidData(f"'{sorted(unknown)[0]}' of an order can't be changed")
    now: Mapping[str, Any] = order
    before: Row = {}
    after: Row = {}
    told: dict[str, tuple[Any, Any]] = {}
    for name in ADDRESSES:
        if given.get(name) is not None and (address := _laid_over(name, now[name], given[name], at, draft)) is not None:
            told[name] = before[name], after[name] = now[name], address
    for name in columns:
        if name in given:
            before[name], after[name] = now[name], _taken(name, now[name], given[name])
            if name in _TOLD and given[name] != now[name]:
                told[name] = now[name], given[name]
    outcome = ChangedOrder({"before": before, "after": after, "changes": []})
    of_user = {"change_type": "update_order", "created_by": by, "confirmed_by": by}
    for name, (old, new) in told.items():
        action = {"action": "UPDATE_ORDER_PROPERTIES", "details": {"type": name, "old": old, "new": new}}
        outcome.answer["changes"].append(outcome.write_down(order, at, action, **of_user))
    _set(order, after, at)
    return outcome


def put_back(order: Order, amendment: Amendment, at: str) -> ChangedOrder:
    """Take back an amendment, but for what somebody has changed since."""
    after = amendment["after"]
    now: Mapping[str, Any] = order
    back = {name: value for name, value in amendment["before"].items() if _says(name, now[name]) == _says(name, after[name])}
    _set(order, back, at)
    return ChangedOrder(True, withdrawn=amendment["changes"])


def add_transactions(order: Order, given: Sequence[NewTransaction], credited: Mapping[str, Any], at: str) -> ChangedOrder | None:
    """Write down money that moved, and bring the summary up to date. The outcome's answer: ids of what is new; None where nothing is."""
    known = {(row["reference"], row["reference_id"]) for row in order["transactions"]}
    new: list[OrderTransaction] = []
    for each in given:
        cause = (each["reference"], each["reference_id"])
        if cause not in known:
            known.add(cause)
            stamps = {"created_at": at, "updated_at": at}
            transaction: Any = {**each, "id": new_id("ordtrx"), "amount": Decimal(each["amount"]), "version": order["version"], **stamps}
            new.append(transaction)
    if not new:
        return None
    order["transactions"] = [*order["transactions"], *new]
    outcome = ChangedOrder([row["id"] for row in new])
    amounts = [Decimal(row["amount"]) for row in order["transactions"]]
    paid, refunded = total([one for one in amounts if one > 0]), total([-one for one in amounts if one < 0])
    kept = order["summary"]
    amount = _beyond(kept, [Decimal(row["amount"]) for row in new])
    order["summary"] = _paid(kept, paid, refunded)
    if amount > 0:
        outcome.order = _credited(order, outcome, amount, credited, at)
    return outcome


def _beyond(kept: Summary, moved: Sequence[Decimal]) -> Decimal:
    """How much more was given back than the shop owed."""
    given_back = total([-amount for amount in moved if amount < 0])
    if not given_back:
        return Decimal(0)
    open_before = difference(Decimal(kept["pending_difference"]), *(amount for amount in moved if amount > 0))
    return difference(given_back, max(-open_before, Decimal(0)))


def _paid(kept: Summary, paid: Decimal, refunded: Decimal) -> Summary:
    """A summary with other figures of what is paid. What is left to pay changes by that: what is asked back isn't to be paid."""
    current, credit = Decimal(kept["current_order_total"]), Decimal(kept["credit_line_total"])
    moved = difference(difference(paid, refunded), Decimal(kept["transaction_total"]))
    pending = difference(Decimal(kept["pending_difference"]), moved)
    return summary(current, credit, paid, refunded, original=Decimal(kept["original_order_total"]), pending=pending)


def register(order: Order, acts: Sequence[Act], change: Mapping[str, Any], at: str) -> ChangedOrder:
    """Do this to an order at once: its next version. The outcome's answer is the change's id. See `OrderService.register`."""
    check_alive(order)
    check_draft(order, False)
    after = applied(order, acts, at)
    outcome = ChangedOrder(None, order=after)
    outcome.answer = outcome.write_down(after, at, *acts, **change)
    return outcome


def unregister(order: Order, change: Mapping[str, Any], acts: Sequence[Act], former: Mapping[str, Any], at: str) -> ChangedOrder:
    """Take back what `register` did: this change (`id`, `version`). `former`: the summary of the version before. See
    `OrderService.unregister`."""
    return ChangedOrder(True, order=taken_back(order, acts, at, change["version"], former), withdrawn=[change["id"]])


def cancel(order: Order, at: str) -> ChangedOrder:
    """Call an order off. The outcome's answer is how it stood before. See `OrderService.cancel`."""
    check_alive(order)
    if order["status"] == "completed":
        raise NotAllowed("A completed order can't be canceled: what was sent comes back by a return")
    if any(Decimal(line["detail"]["fulfilled_quantity"]) > 0 for line in order["items"]):
        raise NotAllowed("All fulfillments must be canceled before canceling an order")
    return ChangedOrder(order["status"], order=order | {"status": "canceled", "canceled_at": at, "updated_at": at})


def set_status(order: Order, status: str, but: Collection[str], at: str) -> ChangedOrder:
    """Say how an order stands, unless it is in one of the states `but`. The outcome's answer is how it stood before."""
    if order["status"] in but:
        raise InvalidData(f"Order {order['id']} is {order['status']} and can't be {status}")
    return ChangedOrder(order["status"], order=order | {"status": status, "updated_at": at})


def reopen(order: Order, status: str, at: str) -> ChangedOrder:
    """Take back `cancel`: the order stands as it did."""
    return ChangedOrder(True, order=order | {"status": status, "canceled_at": None, "updated_at": at})


def check_alive(order: Order) -> None:
    if order["status"] == "canceled":
        raise InvalidData(f"Order with id {order['id']} has been canceled.")


def check_draft(order: Mapping[str, Any], draft: bool) -> None:
    """Raises InvalidData for a draft where an order is wanted, or the other way round."""
    if bool(order["is_draft_order"]) != draft:
        raise InvalidData(f"Order {order['id']} is {'not ' if draft else ''}a draft order")


def convert(order: Order, at: str) -> ChangedOrder:
    """Make an order of a draft. The outcome's answer is True. See `OrderService.convert`."""
    check_alive(order)
    check_draft(order, True)
    return ChangedOrder(True, order=order | {"status": "pending", "is_draft_order": False, "updated_at": at})


def _credited(order: Order, outcome: ChangedOrder, amount: Decimal, credited: Mapping[str, Any], at: str) -> Order:
    """The order's next version, cheaper by a credit line."""
    act = Act(action="CREDIT_LINE_ADD", amount=amount, reference=credited.get("reference"), reference_id=credited.get("reference_id"))
    after = applied(order, [act], at)
    outcome.write_down(after, at, act, change_type="credit_line")
    return after


def _laid_over(name: str, there: Address | None, given: Mapping[str, Any], at: str, anywhere: bool) -> Address | None:
    """A new address of what is given and what was there; None where that is the same. Raises InvalidData for another country, unless it may
    be `anywhere`."""
    if unknown := given.keys() - {*_ADDRESS}:
        raise InvalidData(f"Address has no field '{sorted(unknown)[0]}'")
    former: Mapping[str, Any] = there or {}
    kept = {column: former.get(column) for column in _ADDRESS}
    country = kept["country_code"]
    if not anywhere and country is not None and given.get("country_code", country) != country:
        raise InvalidData(f"The country of the {name.replace('_', ' ')} can't be changed")
    if all(kept[column] == value for column, value in given.items()):
        return None  # said again, as forms do
    columns: Any = {"id": new_id("ordaddr"), **kept, **given, "created_at": at, "updated_at": at, "deleted_at": None}
    address: Address = columns
    return address


def _taken(name: str, kept: Any, given: Any) -> Any:
    if name == "metadata":
        return merged(kept, given)
    return email_address(given) if name == "email" and given is not None else given


def _says(name: str, value: Any) -> Any:
    """What tells one value from another: an address is never changed, but another one takes its place."""
    return value["id"] if name in ADDRESSES and value is not None else value


def _set(order: Order, values: Mapping[str, Any], at: str) -> None:
    columns: Any = {**values, "updated_at": at, **{f"{name}_id": _says(name, values[name]) for name in ADDRESSES if name in values}}
    order |= columns
