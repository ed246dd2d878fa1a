"""Totals as fields of a query: they aren't columns, but they are asked for and shown as if they were.

    plan = totalled(CART, query.fields)             # None where no totals are asked for
    page = await super().query(replace(query, fields=plan.fields))
    return Page(dumps(plan.finish(page.rows)), page.count)

A plan widens what is asked for to what the totals are made of, adds them, and takes away again what nobody asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..totals import ITEM_ALIASES, LINE_TOTALS, REFUND_TOTALS, TOTALS, add_totals
from .fields import FieldTree

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Shape:
    """One level of a cart or an order: its totals, what they are made of, and the relations that hold some of that."""

    totals: frozenset[str] = frozenset()
    starred: frozenset[str] = frozenset()
    """Those of the totals that come along with all columns."""
    made_of: tuple[str, ...] = ()
    relations: Mapping[str, Shape] = field(default_factory=dict)
    stored: frozenset[str] = frozenset()
    """Those of the totals that the module keeps, so that they cost nothing when no others are asked for."""


_TAX_LINE = Shape(frozenset({"total", "subtotal"}), frozenset({"total", "subtotal"}), ("rate",))
_ITEM_ADJUSTMENT = Shape(_TAX_LINE.totals, _TAX_LINE.totals, ("amount", "is_tax_inclusive"))
_METHOD_ADJUSTMENT = Shape(_TAX_LINE.totals, _TAX_LINE.totals, ("amount",))
_METHOD = Shape(LINE_TOTALS, LINE_TOTALS, ("amount", "is_tax_inclusive"), {"tax_lines": _TAX_LINE, "adjustments": _METHOD_ADJUSTMENT})
_CREDIT_LINE = Shape(made_of=("amount",))
_PRICED = ("unit_price", "quantity", "is_tax_inclusive")
_CART_ITEM = Shape(LINE_TOTALS | ITEM_ALIASES.keys(), LINE_TOTALS, _PRICED, {"tax_lines": _TAX_LINE, "adjustments": _ITEM_ADJUSTMENT})
_RETURNED = Shape(made_of=("return_requested_quantity", "return_received_quantity", "return_dismissed_quantity"))
_ORDER_ITEM = Shape(_CART_ITEM.totals | REFUND_TOTALS, LINE_TOTALS | REFUND_TOTALS, _PRICED, {**_CART_ITEM.relations, "detail": _RETURNED})

CART = Shape(TOTALS, frozenset(), ("currency_code",), {"items": _CART_ITEM, "shipping_methods": _METHOD, "credit_lines": _CREDIT_LINE})
ORDER = Shape(
    TOTALS | {"refundable_total"},
    frozenset({"total"}),
    ("currency_code",),
    {"items": _ORDER_ITEM, "shipping_methods": _METHOD, "credit_lines": _CREDIT_LINE},
    stored=frozenset({"total"}),
)


class Plan:
    """How rows of one shape are asked for and finished."""

    __slots__ = ("_asked", "_shape", "fields")

    def __init__(self, shape: Shape, asked: FieldTree) -> None:
        self._shape = shape
        self._asked = asked
        self.fields = _columns_of(asked, shape).add(*_ingredients(shape)).fields()

    def finish(self, rows: list[Row]) -> list[Row]:
        """The rows, changed in place: with totals, without what was only fetched to make them."""
        for row in rows:
            add_totals(row)
            _prune(row, self._asked, self._shape)
        return rows


@lru_cache(maxsize=1024)
def totalled(shape: Shape, fields: tuple[str, ...]) -> Plan | None:
    """The plan for these fields; None where they name no totals, or only such as the database has."""
    asked = FieldTree.parse(fields)
    return Plan(shape, asked) if _wants(asked, shape) else None


def cut(shape: Shape, fields: tuple[str, ...], rows: list[Row]) -> list[Row] | None:
    """Rows that have everything, made into what a query for these fields would have given, in place: totals added, the rest taken away.

    None, and the rows untouched, where a field isn't there.
    """
    asked = FieldTree.parse(fields)
    if not all(_there(row, asked, shape) for row in rows):
        return None
    wanted = _wants(asked, shape)
    for row in rows:
        if wanted:
            add_totals(row)
        _prune(row, asked, shape)
        _prune_others(row, asked, shape)
    return rows


def _there(row: Row, asked: FieldTree, shape: Shape) -> bool:
    for name, child in asked:
        if name in shape.totals:
            continue
        if name not in row:
            return False
        value = row[name]
        if child.children and not isinstance(value, dict | list | None):
            return False
        below = shape.relations.get(name, _NOTHING)
        if not all(_there(each, child, below) for each in (value if isinstance(value, list) else (value,)) if isinstance(each, dict)):
            return False
    return True


_NOTHING = Shape()


def _prune_others(row: Row, asked: FieldTree, shape: Shape) -> None:
    """Relations without totals: `_prune` leaves them as they are."""
    for name, child in asked:
        value = row.get(name)
        if child.children and name not in shape.relations and isinstance(value, dict) and not child.whole:
            row[name] = {key: each for key, each in value.items() if key == "id" or key in child.children}


def _wants(asked: FieldTree, shape: Shape) -> bool:
    return any(
        (name in shape.totals and name not in shape.stored) or (name in shape.relations and _wants(child, shape.relations[name]))
        for name, child in asked
    )


def _columns_of(asked: FieldTree, shape: Shape) -> FieldTree:
    """The same without totals, which the database doesn't know."""
    children = {
        name: _columns_of(child, shape.relations[name]) if name in shape.relations else child
        for name, child in asked
        if name not in shape.totals
    }
    return FieldTree({name: child for name, child in children.items() if child}, all=asked.all, named=asked.named)


def _ingredients(shape: Shape, prefix: str = "") -> list[str]:
    found = [f"{prefix}{name}" for name in shape.made_of]
    for name, below in shape.relations.items():
        found += _ingredients(below, f"{prefix}{name}.")
    return found


def _prune(row: Row, asked: FieldTree, shape: Shape) -> None:
    for name in [name for name in row if not _shown(name, asked, shape)]:
        del row[name]
    for name, child in asked:
        below = shape.relations.get(name)
        if below is None:
            if name in shape.totals:
                row.setdefault(name, None)
            continue
        value = row.get(name)
        for one in value if isinstance(value, list) else (value,):
            if one is not None:
                _prune(one, child, below)


def _shown(name: str, asked: FieldTree, shape: Shape) -> bool:
    if name in asked.children or name == "id":  # a row always tells which one it is
        return True
    if name in shape.relations or not asked.whole:
        return False
    return name in shape.starred or name not in shape.totals
