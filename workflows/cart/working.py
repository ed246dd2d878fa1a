"""A working cart: read once, changed in memory, written as a whole.

    draft = Draft(cart)                          # as `modules.cart.load` gave it
    draft.put_item({**item, "quantity": 3})
    draft.set_taxes(tax_lines, ())
    cart = draft.document(flow.now())            # what `modules.cart.change` takes

Nothing is written in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, overload

from sqlalchemy import Table

from ...commerce.priced import ADDRESSES, Kind, PricedDocument
from ...commerce.types import Cart
from ...core.clock import iso
from ...core.errors import UnexpectedState
from ...core.ids import new_id
from ...core.rows import Row
from ...core.sql.write.readback import shown
from ...modules.cart import tables
from ...modules.cart.tables import COLUMNS

Text = Literal[
    "region_id", "customer_id", "sales_channel_id", "email", "locale", "shipping_address_id", "billing_address_id", "payment_collection_id"
]
"""Columns of a cart that hold a text, or null."""
_LINES: Mapping[Kind, tuple[Table, Mapping[str, Table]]] = {
    "items": (
        tables.cart_line_item,
        {"tax_lines": tables.cart_line_item_tax_line, "adjustments": tables.cart_line_item_adjustment},
    ),
    "shipping_methods": (
        tables.cart_shipping_method,
        {"tax_lines": tables.cart_shipping_method_tax_line, "adjustments": tables.cart_shipping_method_adjustment},
    ),
}
"""By name in a cart: the table of its rows, and of the rows inside them."""


class WorkingCart(PricedDocument):
    """A cart that is being changed."""

    def __init__(self, cart: Mapping[str, Any]) -> None:
        super().__init__(cart)
        self.id: str = cart["id"]
        self.version: int = cart["version"]
        self._columns: Row = {name: cart[name] for name in COLUMNS}
        self.entered: set[str] = self.promotion_ids()
        """Ids of the promotions to compute besides the automatic ones."""
        self.unlinked: set[str] = set()
        """Promotions of the cart whose links are missing, to be created once it is written."""
        self._written: Cart | None = None

    @property
    def written(self) -> Cart:
        """The whole cart as it was written: what reading it again would return."""
        if self._written is None:
            raise UnexpectedState(f"Cart {self.id} is not written yet")
        return self._written

    @written.setter
    def written(self, cart: Cart) -> None:
        self.version, self._written = cart["version"], cart

    @classmethod
    def new(cls, columns: Mapping[str, Any]) -> WorkingCart:
        """A new cart."""
        own: Row = {**dict.fromkeys(COLUMNS), **columns, "id": new_id("cart"), "version": 0, "created_at": None, "completed_at": None}
        return cls({**own, **{f"{kind}_address": None for kind in ADDRESSES}, "items": [], "shipping_methods": [], "credit_lines": []})

    @overload
    def __getitem__(self, column: Literal["currency_code"]) -> str: ...
    @overload
    def __getitem__(self, column: Literal["metadata"]) -> dict[str, Any] | None: ...
    @overload
    def __getitem__(self, column: Text) -> str | None: ...
    def __getitem__(self, column: str) -> Any:
        """A column of the cart itself: `draft["region_id"]`."""
        return self._columns[column]

    # -- changing

    def set(self, **columns: Any) -> None:
        """Set columns of the cart itself."""
        unknown = columns.keys() - set(COLUMNS)
        if unknown:
            raise KeyError(f"A cart has no column {', '.join(sorted(unknown))}")
        self._columns.update(columns)
        if "currency_code" in columns:
            self.set_currency(columns["currency_code"])

    def put_address(self, kind: str, address: Mapping[str, Any]) -> None:
        """Set an address of the cart. It replaces the old one, and keeps its id."""
        known = self._addresses[kind]
        id = known["id"] if known is not None else new_id("caaddr")
        given: Any = {**address, "id": id}
        self._addresses[kind] = given
        self._columns[f"{kind}_address_id"] = id

    def drop_address(self, kind: str) -> None:
        self._addresses[kind] = None
        self._columns[f"{kind}_address_id"] = None

    # -- writing

    def document(self, now: datetime) -> Cart:
        """The whole cart as it is to be written now, and as reading it will return it, except for its version.

        Changed rows get the time `now`; unchanged rows keep theirs.
        """
        at = iso(now)
        before: Mapping[str, Any] = self.before
        columns = {name: before.get(name) for name in ("id", "version", "completed_at", "order_id", "created_at")}
        columns = {**columns, "created_at": columns["created_at"] or at, "updated_at": at, "deleted_at": None, **self._columns}
        for kind in ADDRESSES:
            name, address = f"{kind}_address", self._addresses[kind]
            columns[name] = _row(tables.cart_address, address, before[name], at) if address is not None else None
        for name, (table, below) in _LINES.items():
            old = {row["id"]: row for row in before[name]}
            columns[name] = [self._line(table, below, row, old.get(id), at) for id, row in sorted(self._lines[name].items())]
        columns["credit_lines"] = before["credit_lines"]
        cart: Any = columns
        written: Cart = cart
        return written

    def _line(self, table: Table, below: Mapping[str, Table], line: Row, old: Row | None, at: str) -> Row:
        if line is old:
            return line
        made = _row(table, {**line, "cart_id": self.id}, old, at)
        for name, kind in below.items():
            before = old[name] if old is not None else ()
            made[name] = [row if any(row is one for one in before) else _row(kind, row, None, at) for row in line[name]]
        return made


def _row(table: Table, row: Mapping[str, Any], old: Mapping[str, Any] | None, at: str) -> Row:
    """One row as it is stored: with new times, unless its contents are unchanged."""
    if row is old:
        return dict(row)
    if old is None:
        new: Row = shown(table, {**row, "created_at": None}, at, twins=False)
        return new
    made: Row = shown(table, {**row, "created_at": old["created_at"]}, at, twins=False)
    same = all(value == old[name] for name, value in made.items() if name != "updated_at")
    return {**made, "updated_at": old["updated_at"]} if same else made
