"""How orders change, and which changes are recorded: pure functions over whole orders, no database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
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
"""The columns that an amendment may change, besides the addresses."""
_TOLD = ("email", "customer_id", "sales_channel_id", "locale", "metadata")
"""The columns of which a change is recorded with the values before and after, as for addresses."""
_OWN = frozenset({"id", "root_id", "created_at", "updated_at", "deleted_at"})
_ADDRESS = tuple(f"{column.name}" for column in order_address.c if column.name not in _OWN)
"""The columns that a new address takes over from the former one."""


class Amendment(TypedDict):
    """The changed fields of an order before and after, and the ids of the recorded changes."""

    before: Row
    after: Row
    changes: list[str]
    said: dict[str, Row]
    """The former texts of what was reworded, by id."""


@dataclass(slots=True)
class ChangedOrder:
    """A changed order, and the rows that are written with it."""

    answer: Any
    order: Order | None = None
    """The changed order; None: the order that was read was changed in place."""
    changes: list[Row] = field(default_factory=list)
    """Rows of `order_change`."""
    actions: list[Row] = field(default_factory=list)
    """Rows of `order_change_action`."""
    withdrawn: Sequence[str] = ()
    """Ids of changes that are deleted."""

    def write_down(self, order: Order, at: str, *acts: Mapping[str, object], **change: Any) -> str:
        """Record a confirmed change with these actions. Returns its id."""
        id, version = new_id("ordch"), order["version"]
        self.changes.append({"id": id, "version": version, "status": "confirmed", "confirmed_at": at, "created_at": at, **change})
        self.actions += [{"id": new_id("ordchact"), "order_change_id": id, "version": version, "applied": True, **act} for act in acts]
        return id


def amend(
    order: Order,
    given: Mapping[str, Any],
    by: str | None,
    at: str,
    *,
    draft: bool = False,
    said: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> ChangedOrder:
    """Change the fields of an order about its buyer. The answer is an `Amendment`. See `OrderService.amend`."""
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
            new = after[name] if draft else given[name]  # the API tells of an order what was asked, of a draft what follows
            if name in _TOLD and new != now[name]:
                told[name] = now[name], new
    outcome = ChangedOrder({"before": before, "after": after, "changes": [], "said": _reword(order, said)})
    of_user = {"change_type": "update_order", "created_by": by, "confirmed_by": by}
    for name, (old, new) in told.items():
        action = {"action": "UPDATE_ORDER_PROPERTIES", "details": {"type": name, "old": old, "new": new}}
        outcome.answer["changes"].append(outcome.write_down(order, at, action, **of_user))
    _set(order, after, at)
    return outcome


def put_back(order: Order, amendment: Amendment, at: str) -> ChangedOrder:
    """Undo an amendment, except for fields that were changed again since."""
    after = amendment["after"]
    now: Mapping[str, Any] = order
    back = {name: value for name, value in amendment["before"].items() if _says(name, now[name]) == _says(name, after[name])}
    if "locale" in back:
        _reword(order, amendment["said"])
    _set(order, back, at)
    return ChangedOrder(True, withdrawn=amendment["changes"])


def _reword(order: Order, said: Mapping[str, Mapping[str, Any]]) -> dict[str, Row]:
    """Put texts into lines, shipping methods and their tax lines, by id. Returns the former ones."""
    former: dict[str, Row] = {}
    lines: Any = (*order["items"], *order["shipping_methods"]) if said else ()
    for row in (each for line in lines for each in (line, *line["tax_lines"])):
        texts = said.get(row["id"], {})
        former[row["id"]] = {name: row[name] for name in texts}
        row |= texts
    return former


def add_transactions(order: Order, given: Sequence[NewTransaction], credited: Mapping[str, Any], at: str) -> ChangedOrder | None:
    """Record payments and refunds, and update the summary. The answer is the ids of the new transactions. Returns None if none is new."""
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
    """The amount of refunds beyond what the shop owed."""
    given_back = total([-amount for amount in moved if amount < 0])
    if not given_back:
        return Decimal(0)
    open_before = difference(Decimal(kept["pending_difference"]), *(amount for amount in moved if amount > 0))
    return difference(given_back, max(-open_before, Decimal(0)))


def _paid(kept: Summary, paid: Decimal, refunded: Decimal) -> Summary:
    """A summary with other paid and refunded totals. Its pending difference moves by as much: it also leaves out requested returns."""
    current, credit = Decimal(kept["current_order_total"]), Decimal(kept["credit_line_total"])
    moved = difference(difference(paid, refunded), Decimal(kept["transaction_total"]))
    pending = difference(Decimal(kept["pending_difference"]), moved)
    return summary(current, credit, paid, refunded, original=Decimal(kept["original_order_total"]), pending=pending)


def register(order: Order, acts: Sequence[Act], change: Mapping[str, Any], at: str) -> ChangedOrder:
    """Apply actions to an order at once: its next version. The answer is the change's id. See `OrderService.register`."""
    check_alive(order)
    check_draft(order, False)
    after = applied(order, acts, at)
    outcome = ChangedOrder(None, order=after)
    outcome.answer = outcome.write_down(after, at, *acts, **change)
    return outcome


def unregister(order: Order, change: Mapping[str, Any], acts: Sequence[Act], former: Mapping[str, Any], at: str) -> ChangedOrder:
    """Undo `register`: delete this change (`id`, `version`). `former`: the summary of the version before. See
    `OrderService.unregister`."""
    return ChangedOrder(True, order=taken_back(order, acts, at, change["version"], former), withdrawn=[change["id"]])


def cancel(order: Order, at: str) -> ChangedOrder:
    """Cancel an order. The answer is its status before. See `OrderService.cancel`."""
    check_alive(order)
    if order["status"] == "completed":
        raise NotAllowed("A completed order can't be canceled: what was sent comes back by a return")
    if any(Decimal(line["detail"]["fulfilled_quantity"]) > 0 for line in order["items"]):
        raise NotAllowed("All fulfillments must be canceled before canceling an order")
    return ChangedOrder(order["status"], order=order | {"status": "canceled", "canceled_at": at, "updated_at": at})


def set_status(order: Order, status: str, but: Collection[str], at: str) -> ChangedOrder:
    """Set an order's status. The answer is the status before. Raises InvalidData if its status is one of `but`."""
    if order["status"] in but:
        raise InvalidData(f"Order {order['id']} is {order['status']} and can't be {status}")
    return ChangedOrder(order["status"], order=order | {"status": status, "updated_at": at})


def reopen(order: Order, status: str, at: str) -> ChangedOrder:
    """Undo `cancel`: set the status that the order had."""
    return ChangedOrder(True, order=order | {"status": status, "canceled_at": None, "updated_at": at})


def check_alive(order: Order) -> None:
    """Raises InvalidData if the order is cancelled."""
    if order["status"] == "canceled":
        raise InvalidData(f"Order with id {order['id']} has been canceled.")


def check_draft(order: Mapping[str, Any], draft: bool) -> None:
    """Raises InvalidData if the order is a draft and shouldn't be, or isn't and should."""
    if bool(order["is_draft_order"]) != draft:
        raise InvalidData(f"Order {order['id']} is {'not ' if draft else ''}a draft order")


def convert(order: Order, at: str) -> ChangedOrder:
    """Turn a draft into an order. The answer is True. See `OrderService.convert`."""
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
    """A new address from the given fields and those of the present one (`there`); None if they are equal. Raises InvalidData for another
    country, unless `anywhere` is set."""
    if unknown := given.keys() - {*_ADDRESS}:
        raise InvalidData(f"Address has no field '{sorted(unknown)[0]}'")
    former: Mapping[str, Any] = there or {}
    kept = {column: former.get(column) for column in _ADDRESS}
    country = kept["country_code"]
    if not anywhere and country is not None and given.get("country_code", country) != country:
        raise InvalidData(f"The country of the {name.replace('_', ' ')} can't be changed")
    if all(kept[column] == value for column, value in given.items()):
        return None  # a form sends every field, changed or not
    columns: Any = {"id": new_id("ordaddr"), **kept, **given, "created_at": at, "updated_at": at, "deleted_at": None}
    address: Address = columns
    return address


def _taken(name: str, kept: Any, given: Any) -> Any:
    if name == "metadata":
        return merged(kept, given)
    return email_address(given) if name == "email" and given is not None else given


def _says(name: str, value: Any) -> Any:
    """The value by which two values of a field are compared: of an address its id, since an address is replaced and never changed."""
    return value["id"] if name in ADDRESSES and value is not None else value


def _set(order: Order, values: Mapping[str, Any], at: str) -> None:
    columns: Any = {**values, "updated_at": at, **{f"{name}_id": _says(name, values[name]) for name in ADDRESSES if name in values}}
    order |= columns
