"""A cart as it is about to be: read once, changed in memory, written as a whole.

    draft = Draft(cart)                          # as `modules.cart.load` gave it
    draft.put_item({**item, "quantity": 3})
    draft.set_taxes(tax_lines, ())
    cart = draft.document(flow.now())            # what `modules.cart.change` takes

Rows are never changed in place: the cart as it was read stays what it was, for whoever has to take the change back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Table

from ...core.clock import iso
from ...core.errors import UnexpectedState
from ...core.ids import new_id
from ...core.money import plain
from ...core.sql.shown import shown
from ...core.totals import add_totals
from ...modules.cart import tables
from ...modules.cart.tables import COLUMNS

Row = dict[str, Any]
KINDS = ("shipping", "billing")
_BELOW = ("tax_lines", "adjustments")
_LINES: Mapping[str, tuple[Table, Mapping[str, Table]]] = {
    "items": (
        tables.cart_line_item,
        {"tax_lines": tables.cart_line_item_tax_line, "adjustments": tables.cart_line_item_adjustment},
    ),
    "shipping_methods": (
        tables.cart_shipping_method,
        {"tax_lines": tables.cart_shipping_method_tax_line, "adjustments": tables.cart_shipping_method_adjustment},
    ),
}
"""By name in a cart: the table of such lines, and of what lies in them."""


class Draft:
    """A cart that is being changed."""

    def __init__(self, cart: Row) -> None:
        self.before = cart
        """The cart as it was read; not to be changed."""
        self.id: str = cart["id"]
        self.version: int = cart["version"]
        self._columns: Row = {name: cart[name] for name in COLUMNS}
        self._addresses: dict[str, Row | None] = {kind: cart[f"{kind}_address"] for kind in KINDS}
        self._lines: dict[str, dict[str, Row]] = {name: {row["id"]: row for row in cart[name]} for name in _LINES}
        self.entered: set[str] = self.promotion_ids()
        """Ids of the promotions that are to be looked at again, beside those that apply by themselves."""
        self.untied: set[str] = set()
        """Promotions of the cart whose tie to it is to be made, once it is written."""
        self._written: Row | None = None

    @property
    def written(self) -> Row:
        """All of the cart as it was written: what reading it again would give."""
        if self._written is None:
            raise UnexpectedState(f"Cart {self.id} is not written yet")
        return self._written

    @written.setter
    def written(self, cart: Row) -> None:
        self.version, self._written = cart["version"], cart

    @classmethod
    def new(cls, columns: Mapping[str, Any]) -> Draft:
        """A cart that isn't there yet."""
        own: Row = {**dict.fromkeys(COLUMNS), **columns, "id": new_id("cart"), "version": 0, "created_at": None, "completed_at": None}
        return cls({**own, **{f"{kind}_address": None for kind in KINDS}, "items": [], "shipping_methods": [], "credit_lines": []})

    # -- looking

    def __getitem__(self, column: str) -> Any:
        """A column of the cart itself: `draft["currency_code"]`."""
        return self._columns[column]

    @property
    def items(self) -> list[Row]:
        return list(self._lines["items"].values())

    @property
    def items_before(self) -> Sequence[Row]:
        """Its lines before anything was changed."""
        lines: Sequence[Row] = self.before["items"]
        return lines

    @property
    def shipping_methods(self) -> list[Row]:
        return list(self._lines["shipping_methods"].values())

    def address(self, kind: str = "shipping") -> Row | None:
        return self._addresses[kind]

    def totalled(self, *, promoted: bool = True) -> Row:
        """The cart with all its totals (see `core.totals`), to be read only. `promoted` off: as if there were no promotions."""
        cart: Row = {"currency_code": self._columns["currency_code"], "credit_lines": self.before["credit_lines"]}
        for name, lines in self._lines.items():
            cart[name] = [
                {
                    **line,
                    "tax_lines": [dict(row) for row in line["tax_lines"]],
                    "adjustments": [dict(row) for row in line["adjustments"] if promoted or row["promotion_id"] is None],
                }
                for line in lines.values()
            ]
        add_totals(cart)
        return cart

    def total(self) -> Decimal:
        """What is to be paid."""
        total: Decimal = self.totalled()["total"]
        return total

    def promotion_ids(self) -> set[str]:
        """Promotions that take something off the cart."""
        lines = (line for lines in self._lines.values() for line in lines.values())
        return {row["promotion_id"] for line in lines for row in line["adjustments"] if row["promotion_id"] is not None}

    # -- changing

    def set(self, **columns: Any) -> None:
        """Set columns of the cart itself."""
        unknown = columns.keys() - set(COLUMNS)
        if unknown:
            raise KeyError(f"A cart has no column {', '.join(sorted(unknown))}")
        self._columns.update(columns)

    def put_address(self, kind: str, address: Mapping[str, Any]) -> None:
        """Give the cart an address. It takes the place of the one it has, and its id."""
        known = self._addresses[kind]
        id = known["id"] if known is not None else new_id("caaddr")
        self._addresses[kind] = {**address, "id": id}
        self._columns[f"{kind}_address_id"] = id

    def drop_address(self, kind: str) -> None:
        self._addresses[kind] = None
        self._columns[f"{kind}_address_id"] = None

    def put_item(self, item: Row) -> None:
        """Add a line, or replace the one with its id."""
        self._put("items", item)

    def drop_item(self, id: str) -> None:
        del self._lines["items"][id]

    def put_shipping_method(self, method: Row) -> None:
        """Add a shipping method, or replace the one with its id."""
        self._put("shipping_methods", method)

    def drop_shipping_method(self, id: str) -> None:
        del self._lines["shipping_methods"][id]

    def _put(self, name: str, line: Row) -> None:
        known = self._lines[name].get(line["id"], {})
        self._lines[name][line["id"]] = {**line, **{below: known.get(below, []) for below in _BELOW}}

    def set_taxes(self, item_tax_lines: Iterable[Row], shipping_method_tax_lines: Iterable[Row]) -> None:
        """Replace the taxes on everything. Tax lines that say what those before them said stay as they are."""
        for name, key, rows in (
            ("items", "item_id", item_tax_lines),
            ("shipping_methods", "shipping_method_id", shipping_method_tax_lines),
        ):
            self._set_below(name, key, "tax_lines", rows, _tax_line_says)

    def set_discounts(self, item_adjustments: Iterable[Row], shipping_method_adjustments: Iterable[Row]) -> None:
        """Replace what promotions take off. Adjustments that nobody's promotion made stay, and so do those that say what is said anew."""
        for name, key, rows in (
            ("items", "item_id", item_adjustments),
            ("shipping_methods", "shipping_method_id", shipping_method_adjustments),
        ):
            lines = self._lines[name].values()
            others = [row for line in lines for row in line["adjustments"] if row["promotion_id"] is None]
            self._set_below(name, key, "adjustments", (*others, *rows), _adjustment_says)

    def _set_below(self, name: str, key: str, below: str, rows: Iterable[Row], says: Callable[[Sequence[Row]], object]) -> None:
        new: dict[str, list[Row]] = {}
        for row in rows:
            new.setdefault(row[key], []).append(row)
        for id, line in self._lines[name].items():
            mine = new.get(id, [])
            if says(mine) != says(line[below]):
                self._lines[name][id] = {**line, below: mine}

    # -- writing

    def document(self, now: datetime) -> Row:
        """All of the cart as it is to be written now, and as reading it will give it, but for its version.

        Rows that aren't as they were read are written now; the others were written when they were.
        """
        at = iso(now)
        cart = {name: self.before.get(name) for name in ("id", "version", "completed_at", "order_id", "created_at")}
        cart = {**cart, "created_at": cart["created_at"] or at, "updated_at": at, "deleted_at": None, **self._columns}
        for kind in KINDS:
            name, address = f"{kind}_address", self._addresses[kind]
            cart[name] = _row(tables.cart_address, address, self.before[name], at) if address is not None else None
        for name, (table, below) in _LINES.items():
            old = {row["id"]: row for row in self.before[name]}
            cart[name] = [self._line(table, below, row, old.get(id), at) for id, row in sorted(self._lines[name].items())]
        cart["credit_lines"] = self.before["credit_lines"]
        return cart

    def _line(self, table: Table, below: Mapping[str, Table], line: Row, old: Row | None, at: str) -> Row:
        if line is old:
            return line
        made = _row(table, {**line, "cart_id": self.id}, old, at)
        for name, kind in below.items():
            before = old[name] if old is not None else ()
            made[name] = [row if any(row is one for one in before) else _row(kind, row, None, at) for row in line[name]]
        return made


def _row(table: Table, row: Mapping[str, Any], old: Mapping[str, Any] | None, at: str) -> Row:
    """One row as it is stored: rewritten, unless it says what it said before."""
    if row is old:
        return dict(row)
    if old is None:
        return shown(table, {**row, "created_at": None}, at, twins=False)
    made = shown(table, {**row, "created_at": old["created_at"]}, at, twins=False)
    same = all(value == old[name] for name, value in made.items() if name != "updated_at")
    return {**made, "updated_at": old["updated_at"]} if same else made


_TAX_LINE = ("rate", "code", "tax_rate_id", "provider_id", "description")


def _tax_line_says(rows: Sequence[Row]) -> object:
    return [[row.get(name) for name in _TAX_LINE] for row in rows]


_ADJUSTMENT = ("promotion_id", "code", "is_tax_inclusive")


def _adjustment_says(rows: Sequence[Row]) -> object:
    """In any order."""
    return sorted([str(plain(Decimal(row["amount"]))), *(str(row.get(name)) for name in _ADJUSTMENT)] for row in rows)
