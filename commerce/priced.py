"""A priced document that is being changed: lines, shipping methods, addresses, taxes, discounts, totals.

Rows are never changed in place: what was read stays as it was, so that the change can be undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from ..core.numbers import plain
from ..core.rows import Row
from .totals import add_totals
from .types import Address, Adjustment, Below, Cart, Line, NewLine, NewShippingMethod, ShippingMethod, TaxLine

Kind = Literal["items", "shipping_methods"]

ADDRESSES = ("shipping", "billing")
OWNER: Mapping[Kind, str] = {"items": "item_id", "shipping_methods": "shipping_method_id"}
"""The column by which a tax line or an adjustment names its line or shipping method."""


class PricedDocument:
    """A cart, or another document that is priced like one. Lists keep the order in which their rows were added."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """`document`: with `currency_code`, `items`, `shipping_methods`, `credit_lines`, and `shipping_address` and `billing_address` or
        None. It isn't changed."""
        read: Any = document
        self.before: Cart = read
        """As it was read; not to be changed."""
        self.currency_code: str = document["currency_code"]
        self._addresses: dict[str, Address | None] = {kind: document[f"{kind}_address"] for kind in ADDRESSES}
        self._items: dict[str, Line] = {row["id"]: row for row in document["items"]}
        self._shipping_methods: dict[str, ShippingMethod] = {row["id"]: row for row in document["shipping_methods"]}
        self._lines: dict[Kind, dict[str, Any]] = {"items": self._items, "shipping_methods": self._shipping_methods}
        self._totals: Row | None = None

    # -- looking

    @property
    def items(self) -> list[Line]:
        return list(self._items.values())

    @property
    def items_before(self) -> Sequence[Line]:
        """The lines before any change."""
        return self.before["items"]

    @property
    def shipping_methods(self) -> list[ShippingMethod]:
        return list(self._shipping_methods.values())

    def address(self, kind: str = "shipping") -> Address | None:
        return self._addresses[kind]

    @property
    def totals(self) -> Mapping[str, Any]:
        """The document with all its totals (see `commerce.totals`), read-only."""
        if self._totals is None:
            self._totals = self.totalled()
        return self._totals

    def totalled(self, *, promoted: bool = True) -> Row:
        """The document with all its totals, as a copy for the caller. `promoted` off: without the discounts of promotions."""
        made: Row = {"currency_code": self.currency_code, "credit_lines": [dict(line) for line in self.before["credit_lines"]]}
        for kind in OWNER:
            made[kind] = [
                {
                    **line,
                    "tax_lines": [dict(row) for row in line["tax_lines"]],
                    "adjustments": [dict(row) for row in line["adjustments"] if promoted or row["promotion_id"] is None],
                }
                for line in self._lines[kind].values()
            ]
        add_totals(made)
        return made

    def total(self) -> Decimal:
        """The amount to be paid."""
        total: Decimal = self.totals["total"]
        return total

    def promotion_ids(self) -> set[str]:
        """Ids of the promotions that give a discount."""
        lines = (line for kind in OWNER for line in self._lines[kind].values())
        return {row["promotion_id"] for line in lines for row in line["adjustments"] if row["promotion_id"] is not None}

    # -- changing

    def set_currency(self, code: str) -> None:
        self.currency_code, self._totals = code, None

    def put_item(self, item: NewLine | Line) -> None:
        """Add a line, or replace the one with its id. Its taxes and discounts stay until they are computed again."""
        known, self._totals = self._items.get(item["id"]), None
        below: Below = {"tax_lines": [], "adjustments": []} if known is None else known
        self._items[item["id"]] = {**item, "tax_lines": below["tax_lines"], "adjustments": below["adjustments"]}

    def drop_item(self, id: str) -> None:
        del self._items[id]
        self._totals = None

    def put_shipping_method(self, method: NewShippingMethod | ShippingMethod) -> None:
        """Add a shipping method, or replace the one with its id, in the same way."""
        known, self._totals = self._shipping_methods.get(method["id"]), None
        below: Below = {"tax_lines": [], "adjustments": []} if known is None else known
        self._shipping_methods[method["id"]] = {**method, "tax_lines": below["tax_lines"], "adjustments": below["adjustments"]}

    def drop_shipping_method(self, id: str) -> None:
        del self._shipping_methods[id]
        self._totals = None

    def set_taxes(self, item_tax_lines: Iterable[TaxLine], shipping_method_tax_lines: Iterable[TaxLine]) -> None:
        """Replace the taxes of all lines and shipping methods. Tax lines with unchanged contents stay as they are."""
        self._set_below("items", "tax_lines", item_tax_lines, _tax_line_says)
        self._set_below("shipping_methods", "tax_lines", shipping_method_tax_lines, _tax_line_says)

    def set_discounts(self, item_adjustments: Iterable[Adjustment], shipping_method_adjustments: Iterable[Adjustment]) -> None:
        """Replace the discounts of promotions. Adjustments without a promotion stay, and so do those with unchanged contents."""
        kinds: tuple[tuple[Kind, Iterable[Adjustment]], ...] = (
            ("items", item_adjustments),
            ("shipping_methods", shipping_method_adjustments),
        )
        for kind, rows in kinds:
            others = [row for line in self._lines[kind].values() for row in line["adjustments"] if row["promotion_id"] is None]
            self._set_below(kind, "adjustments", (*others, *rows), _adjustment_says)

    def _set_below(
        self, kind: Kind, below: str, rows: Iterable[Mapping[str, Any]], says: Callable[[Sequence[Mapping[str, Any]]], object]
    ) -> None:
        new: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            new.setdefault(row[OWNER[kind]], []).append(row)
        lines = self._lines[kind]
        for id, line in lines.items():
            mine = new.get(id, [])
            if (mine or line[below]) and says(mine) != says(line[below]):
                lines[id] = {**line, below: mine}
                self._totals = None


_TAX_LINE = ("rate", "code", "tax_rate_id", "provider_id", "description")


def _tax_line_says(rows: Sequence[Mapping[str, Any]]) -> object:
    return [[row.get(name) for name in _TAX_LINE] for row in rows]


_ADJUSTMENT = ("promotion_id", "code", "is_tax_inclusive")


def _adjustment_says(rows: Sequence[Mapping[str, Any]]) -> object:
    """The contents of adjustments, regardless of their order."""
    return sorted([str(plain(Decimal(row["amount"]))), *(str(row.get(name)) for name in _ADJUSTMENT)] for row in rows)
