"""A cart as it is about to be: read once, changed in memory, written as one difference.

    draft = Draft(cart)                          # as `modules.cart.load` gave it
    draft.put_item({**item, "quantity": 3})
    draft.set_item_taxes(tax_lines)
    change, back = draft.change(), draft.change_back()

Rows are never changed in place: a row that is another object than before is one to be written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Table

from ...core.errors import UnexpectedState
from ...core.ids import new_id
from ...core.money import plain
from ...core.sql.shown import shown
from ...core.totals import add_totals
from ...modules.cart import tables
from ...modules.cart.change import COLUMNS, CartChange

Row = dict[str, Any]
KINDS = ("shipping", "billing")
_BELOW = ("tax_lines", "adjustments")


@dataclass
class _State:
    """All of a cart, taken apart: rows without the rows below them."""

    cart: Row
    addresses: dict[str, Row] = field(default_factory=dict)
    """`shipping` and `billing`, where there is one."""
    items: dict[str, Row] = field(default_factory=dict)
    shipping_methods: dict[str, Row] = field(default_factory=dict)
    item_tax_lines: list[Row] = field(default_factory=list)
    shipping_method_tax_lines: list[Row] = field(default_factory=list)
    item_adjustments: list[Row] = field(default_factory=list)
    shipping_method_adjustments: list[Row] = field(default_factory=list)

    @classmethod
    def of(cls, cart: Mapping[str, Any]) -> _State:
        state = cls({name: cart[name] for name in COLUMNS})
        for kind in KINDS:
            if cart[f"{kind}_address"] is not None:
                state.addresses[kind] = cart[f"{kind}_address"]
        for item in cart["items"]:
            state.items[item["id"]] = item
            state.item_tax_lines += item["tax_lines"]
            state.item_adjustments += item["adjustments"]
        for method in cart["shipping_methods"]:
            state.shipping_methods[method["id"]] = method
            state.shipping_method_tax_lines += method["tax_lines"]
            state.shipping_method_adjustments += method["adjustments"]
        return state

    def copy(self) -> _State:
        return _State(
            dict(self.cart),
            dict(self.addresses),
            dict(self.items),
            dict(self.shipping_methods),
            list(self.item_tax_lines),
            list(self.shipping_method_tax_lines),
            list(self.item_adjustments),
            list(self.shipping_method_adjustments),
        )


class Draft:
    """A cart that is being changed."""

    def __init__(self, cart: Mapping[str, Any]) -> None:
        self.id: str = cart["id"]
        self.version: int = cart["version"]
        self.credit_lines: Sequence[Mapping[str, Any]] = cart["credit_lines"]
        self._before = _State.of(cart)
        self._now = self._before.copy()
        self._created: str | None = cart.get("created_at")
        self.entered: set[str] = self.promotion_ids()
        """Ids of the promotions that are to be looked at again, beside those that apply by themselves."""
        self.untied: set[str] = set()
        """Promotions of the cart whose tie to it is to be made, once it is written."""
        self._at: str | None = None

    @classmethod
    def new(cls, columns: Mapping[str, Any]) -> Draft:
        """A cart that isn't there yet."""
        empty: Row = {**dict.fromkeys(COLUMNS), **columns, "id": new_id("cart"), "version": 0, "items": [], "shipping_methods": []}
        return cls({**empty, "shipping_address": None, "billing_address": None, "credit_lines": []})

    # -- looking

    def __getitem__(self, column: str) -> Any:
        """A column of the cart itself: `draft["currency_code"]`."""
        return self._now.cart[column]

    @property
    def items(self) -> list[Row]:
        return list(self._now.items.values())

    @property
    def items_before(self) -> list[Row]:
        """Its lines before anything was changed."""
        return list(self._before.items.values())

    @property
    def shipping_methods(self) -> list[Row]:
        return list(self._now.shipping_methods.values())

    def address(self, kind: str = "shipping") -> Row | None:
        return self._now.addresses.get(kind)

    def totalled(self, *, promoted: bool = True) -> Row:
        """The cart with all its totals (see `core.totals`), to be read only. `promoted` off: as if there were no promotions."""
        now = self._now if promoted else self._without_promotions()
        cart: Row = {
            "currency_code": now.cart["currency_code"],
            "items": _with_below(self.items, "item_id", tax_lines=now.item_tax_lines, adjustments=now.item_adjustments),
            "shipping_methods": _with_below(
                self.shipping_methods,
                "shipping_method_id",
                tax_lines=now.shipping_method_tax_lines,
                adjustments=now.shipping_method_adjustments,
            ),
            "credit_lines": self.credit_lines,
        }
        add_totals(cart)
        return cart

    def total(self) -> Decimal:
        """What is to be paid."""
        total: Decimal = self.totalled()["total"]
        return total

    def _without_promotions(self) -> _State:
        state = self._now.copy()
        state.item_adjustments = [row for row in state.item_adjustments if row["promotion_id"] is None]
        state.shipping_method_adjustments = [row for row in state.shipping_method_adjustments if row["promotion_id"] is None]
        return state

    def promotion_ids(self) -> set[str]:
        """Promotions that take something off the cart."""
        adjustments = (*self._now.item_adjustments, *self._now.shipping_method_adjustments)
        return {row["promotion_id"] for row in adjustments if row["promotion_id"] is not None}

    # -- changing

    def set(self, **columns: Any) -> None:
        """Set columns of the cart itself."""
        unknown = columns.keys() - set(COLUMNS)
        if unknown:
            raise KeyError(f"A cart has no column {', '.join(sorted(unknown))}")
        self._now.cart.update(columns)

    def put_address(self, kind: str, address: Mapping[str, Any]) -> None:
        """Give the cart an address. It takes the place of the one it has, and its id."""
        known = self._now.addresses.get(kind)
        id = known["id"] if known is not None else new_id("caaddr")
        self._now.addresses[kind] = {**address, "id": id}
        self._now.cart[f"{kind}_address_id"] = id

    def drop_address(self, kind: str) -> None:
        self._now.addresses.pop(kind, None)
        self._now.cart[f"{kind}_address_id"] = None

    def put_item(self, item: Row) -> None:
        """Add a line, or replace the one with its id."""
        self._now.items[item["id"]] = item

    def drop_item(self, id: str) -> None:
        now = self._now
        del now.items[id]
        now.item_tax_lines = [row for row in now.item_tax_lines if row["item_id"] != id]
        now.item_adjustments = [row for row in now.item_adjustments if row["item_id"] != id]

    def put_shipping_method(self, method: Row) -> None:
        """Add a shipping method, or replace the one with its id."""
        self._now.shipping_methods[method["id"]] = method

    def drop_shipping_method(self, id: str) -> None:
        now = self._now
        del now.shipping_methods[id]
        now.shipping_method_tax_lines = [row for row in now.shipping_method_tax_lines if row["shipping_method_id"] != id]
        now.shipping_method_adjustments = [row for row in now.shipping_method_adjustments if row["shipping_method_id"] != id]

    def set_taxes(self, item_tax_lines: Iterable[Row], shipping_method_tax_lines: Iterable[Row]) -> None:
        """Replace the taxes on everything. Tax lines that say what those before them said stay as they are."""
        self._now.item_tax_lines = _kept(self._now.item_tax_lines, list(item_tax_lines))
        self._now.shipping_method_tax_lines = _kept(self._now.shipping_method_tax_lines, list(shipping_method_tax_lines))

    def set_discounts(self, item_adjustments: Iterable[Row], shipping_method_adjustments: Iterable[Row]) -> None:
        """Replace what promotions take off. Adjustments that nobody's promotion made stay, and so do those that say what is said anew."""
        now, others = self._now, self._without_promotions()
        now.item_adjustments = _kept_in_any_order(now.item_adjustments, [*others.item_adjustments, *item_adjustments])
        now.shipping_method_adjustments = _kept_in_any_order(
            now.shipping_method_adjustments, [*others.shipping_method_adjustments, *shipping_method_adjustments]
        )

    # -- writing

    def change(self) -> CartChange:
        """What has to be written."""
        return _difference(self._before, self._now)

    def change_back(self) -> CartChange:
        """What has to be written to take the change back."""
        return _difference(self._now, self._before)

    def written(self, version: int, at: str) -> None:
        """To be called when `change` has been written: the version it gave, and the time."""
        self.version, self._at = version, at

    def stored(self) -> Row:
        """All of the cart as it was written, with raw_ twins: what reading it again would give."""
        if self._at is None:
            raise UnexpectedState(f"Cart {self.id} is not written yet")
        return _stored(self._before, self._now, self.id, self.version, self.credit_lines, self._created, self._at)


def _stored(old: _State, new: _State, id: str, version: int, credit_lines: Any, created: str | None, at: str) -> Row:
    cart = shown(tables.cart, {**new.cart, "id": id, "version": version, "created_at": created}, at)
    for kind in KINDS:
        cart[f"{kind}_address"] = _one(tables.cart_address, new.addresses.get(kind), old.addresses.get(kind), at)
    cart["items"] = _lines(
        tables.cart_line_item,
        old.items,
        new.items,
        at,
        id,
        "item_id",
        tax_lines=(tables.cart_line_item_tax_line, old.item_tax_lines, new.item_tax_lines),
        adjustments=(tables.cart_line_item_adjustment, old.item_adjustments, new.item_adjustments),
    )
    cart["shipping_methods"] = _lines(
        tables.cart_shipping_method,
        old.shipping_methods,
        new.shipping_methods,
        at,
        id,
        "shipping_method_id",
        tax_lines=(tables.cart_shipping_method_tax_line, old.shipping_method_tax_lines, new.shipping_method_tax_lines),
        adjustments=(tables.cart_shipping_method_adjustment, old.shipping_method_adjustments, new.shipping_method_adjustments),
    )
    cart["credit_lines"] = [shown(tables.credit_line, line, at) | {"updated_at": line["updated_at"]} for line in credit_lines]
    return cart


def _lines(
    table: Table,
    old: Mapping[str, Row],
    new: Mapping[str, Row],
    at: str,
    cart_id: str,
    key: str,
    **below: tuple[Table, Sequence[Row], Sequence[Row]],
) -> list[Row]:
    rows = {id: _one(table, {**row, "cart_id": cart_id}, old.get(id), at, same=row is old.get(id)) for id, row in new.items()}
    made: dict[str, Row] = {id: {**row, **{name: [] for name in below}} for id, row in rows.items() if row is not None}
    for name, (kind, before, now) in below.items():
        kept = {id(row) for row in before} if _replaced(before, now, key, new) is None else set()
        for row in now:
            made[row[key]][name].append(_one(kind, row, row, at, same=id(row) in kept))
    return list(made.values())


def _one(table: Table, row: Mapping[str, Any] | None, old: Mapping[str, Any] | None, at: str, *, same: bool | None = None) -> Row | None:
    """One row as it is stored: rewritten, unless it is the `same` as before."""
    if row is None:
        return None
    if same or (same is None and row is old):
        return shown(table, row, str(row["updated_at"]))
    return shown(table, row if old is None else {**row, "created_at": old.get("created_at")}, at)


def _difference(old: _State, new: _State) -> CartChange:
    return CartChange(
        cart=new.cart,
        addresses=tuple(row for kind, row in new.addresses.items() if row is not old.addresses.get(kind)),
        items=tuple(_bare(row) for id, row in new.items.items() if row is not old.items.get(id)),
        gone_items=tuple(id for id in old.items if id not in new.items),
        shipping_methods=tuple(_bare(row) for id, row in new.shipping_methods.items() if row is not old.shipping_methods.get(id)),
        gone_shipping_methods=tuple(id for id in old.shipping_methods if id not in new.shipping_methods),
        item_tax_lines=_replaced(old.item_tax_lines, new.item_tax_lines, "item_id", new.items),
        shipping_method_tax_lines=_replaced(
            old.shipping_method_tax_lines, new.shipping_method_tax_lines, "shipping_method_id", new.shipping_methods
        ),
        item_adjustments=_replaced(old.item_adjustments, new.item_adjustments, "item_id", new.items),
        shipping_method_adjustments=_replaced(
            old.shipping_method_adjustments, new.shipping_method_adjustments, "shipping_method_id", new.shipping_methods
        ),
    )


def _replaced(old: Sequence[Row], new: Sequence[Row], key: str, owners: Mapping[str, Row]) -> tuple[Row, ...] | None:
    """The rows to write; None where those of the lines that stay are the same objects. Those of lines that go, go with them."""
    staying = [row for row in old if row[key] in owners]
    same = len(staying) == len(new) and all(a is b for a, b in zip(staying, new, strict=True))
    return None if same else tuple(new)


def _bare(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _BELOW}


_MEANING = ("item_id", "shipping_method_id", "rate", "code", "tax_rate_id", "provider_id", "description")


def _kept(old: Sequence[Row], new: list[Row]) -> list[Row]:
    """The old tax lines where the new ones say the same: then there is nothing to write."""
    said = [{name: row.get(name) for name in _MEANING} for row in old]
    return list(old) if said == [{name: row.get(name) for name in _MEANING} for row in new] else new


_AMOUNT = ("item_id", "shipping_method_id", "promotion_id", "code", "amount", "is_tax_inclusive")


def _kept_in_any_order(old: Sequence[Row], new: list[Row]) -> list[Row]:
    """The old adjustments where the new ones say the same."""

    def said(rows: Sequence[Row]) -> list[list[str]]:
        return sorted([str(plain(Decimal(row[name]))) if name == "amount" else str(row.get(name)) for name in _AMOUNT] for row in rows)

    return list(old) if said(old) == said(new) else new


def _with_below(owners: Iterable[Row], key: str, **below: Sequence[Row]) -> list[Row]:
    """Copies of lines with the rows that belong to them."""
    copies = {row["id"]: {**row, **{name: [] for name in below}} for row in owners}
    for name, rows in below.items():
        for row in rows:
            copies[row[key]][name].append(dict(row))
    return list(copies.values())
