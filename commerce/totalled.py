"""Totals as fields of a query: they aren't columns, but they are asked for and shown as if they were.

    plan = totalled(CART, query.fields)             # None where no totals are asked for
    page = await super().query(replace(query, fields=plan.fields))
    return Page.of(plan.finish(page.own_rows()), page.count)

A plan adds the columns that totals are made of to the query, computes the totals, and removes what wasn't asked for. A line or a shipping
method that is shown whole beside totals of the cart also shows its own, with their raw_ twins, and its tax lines and adjustments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..core.kept import kept
from ..core.numbers import raw
from ..core.rows import Row
from ..core.sql.schema.fields import FieldTree
from .totals import COURSE_TOTALS, ITEM_ALIASES, LINE_TOTALS, REFUND_TOTALS, TOTALS, add_totals

KEPT = 4 * 1024 * 1024
"""Bytes of plans that are kept."""


@dataclass(frozen=True, eq=False)
class TotalledShape:
    """One level of a cart or an order: its totals, the columns they are made of, and the relations with more of these."""

    totals: frozenset[str] = frozenset()
    starred: frozenset[str] = frozenset()
    """The totals that `*` includes if totals of the whole document are asked for."""
    made_of: tuple[str, ...] = ()
    relations: Mapping[str, TotalledShape] = field(default_factory=dict)
    stored: frozenset[str] = frozenset()
    """The totals that the module stores, so that they cost nothing when no others are asked for."""
    parts: tuple[str, ...] = ()
    """Relations that `*` includes on the same condition as `starred`."""
    keyed: bool = False
    """Whether its rows always show their id, as the root does."""


_TAX_LINE = TotalledShape(frozenset({"total", "subtotal"}), frozenset({"total", "subtotal"}), ("rate",))
_ITEM_ADJUSTMENT = TotalledShape(_TAX_LINE.totals, _TAX_LINE.totals, ("amount", "is_tax_inclusive"))
_METHOD_ADJUSTMENT = TotalledShape(_TAX_LINE.totals, _TAX_LINE.totals, ("amount",))
_PARTS = ("tax_lines", "adjustments")
_METHOD = TotalledShape(
    LINE_TOTALS,
    LINE_TOTALS,
    ("amount", "is_tax_inclusive"),
    {"tax_lines": _TAX_LINE, "adjustments": _METHOD_ADJUSTMENT},
    parts=_PARTS,
)
_CREDIT_LINE = TotalledShape(_TAX_LINE.totals, _TAX_LINE.totals, ("amount",))
_PRICED = ("unit_price", "quantity", "is_tax_inclusive")
_CART_ITEM = TotalledShape(
    LINE_TOTALS | ITEM_ALIASES.keys(),
    LINE_TOTALS,
    _PRICED,
    {"tax_lines": _TAX_LINE, "adjustments": _ITEM_ADJUSTMENT},
    parts=_PARTS,
)
_RETURNED = TotalledShape(made_of=tuple(COURSE_TOTALS.values()))
_ORDER_ITEM = TotalledShape(
    _CART_ITEM.totals | REFUND_TOTALS,
    LINE_TOTALS | REFUND_TOTALS,
    _PRICED,
    {**_CART_ITEM.relations, "detail": _RETURNED},
    parts=_PARTS,
)

_CART_METHOD = replace(_METHOD, keyed=True)
CART = TotalledShape(
    TOTALS, frozenset(), ("currency_code",), {"items": _CART_ITEM, "shipping_methods": _CART_METHOD, "credit_lines": _CREDIT_LINE}
)
ORDER = TotalledShape(
    TOTALS | {"refundable_total", *COURSE_TOTALS},
    frozenset({"total"}),
    ("currency_code",),
    {"items": _ORDER_ITEM, "shipping_methods": _METHOD, "credit_lines": _CREDIT_LINE},
    stored=frozenset({"total"}),
)


class TotalsPlan:
    """How rows of one shape are queried and finished."""

    __slots__ = ("_level", "fields")

    def __init__(self, shape: TotalledShape, asked: FieldTree) -> None:
        asked = _with_parts(asked, shape)
        self._level = _Level(shape, asked)
        self.fields = _columns_of(asked, shape).add(*_ingredients(shape)).fields()

    def finish(self, rows: list[Row]) -> list[Row]:
        """Add totals to the rows, in place, and remove columns that were read only to compute them."""
        for row in rows:
            add_totals(row)
            self._level.cut(row)
        return rows


@kept(KEPT)
def totalled(shape: TotalledShape, fields: tuple[str, ...]) -> TotalsPlan | None:
    """The plan for these fields; None where they name no totals, or only stored ones."""
    asked = FieldTree.parse(fields)
    return TotalsPlan(shape, asked) if _wants(asked, shape) else None


class _Level:
    """What is wanted of one level of a row, worked out once for all rows of a query."""

    __slots__ = ("_below", "_hidden", "_shown", "_totals", "_twins")

    def __init__(self, shape: TotalledShape, asked: FieldTree, *, beside: bool | None = None) -> None:
        """`beside`: whether totals of the whole document are asked for. None: this level is the root."""
        root = beside is None
        beside = bool(_named_totals(asked, shape)) if beside is None else beside
        names = frozenset(name for name, _ in asked)
        self._totals = names & shape.totals
        starred = shape.starred if beside and asked.whole else frozenset()
        self._twins = tuple((name, f"raw_{name}") for name in starred) if not root else ()
        self._shown = None if asked.whole else names | {"id"} if root or shape.keyed else names
        self._hidden = (shape.relations.keys() | (shape.totals - starred)) - names - {"id"}
        self._below = tuple((name, _Level(shape.relations[name], child, beside=beside)) for name, child in asked if name in shape.relations)

    def cut(self, row: Row) -> None:
        """Remove everything from the row that isn't wanted."""
        for name in row.keys() & self._hidden if self._shown is None else row.keys() - self._shown:
            del row[name]
        if not row.keys() >= self._totals:
            for name in self._totals:
                row.setdefault(name, None)
        for name, twin in self._twins:
            if name in row:
                row[twin] = raw(row[name])
        for name, level in self._below:
            value = row.get(name)
            if value is not None:
                for each in value if isinstance(value, list) else (value,):
                    level.cut(each)


def _named_totals(asked: FieldTree, shape: TotalledShape) -> frozenset[str]:
    return frozenset(name for name, _ in asked) & shape.totals


def _with_parts(asked: FieldTree, shape: TotalledShape) -> FieldTree:
    """The tree with the `parts` of whole rows added, if totals of the whole document are asked for."""
    if not _named_totals(asked, shape):
        return asked
    whole = [(name, child) for name, child in asked if name in shape.relations and child.whole]
    return asked.add(*(f"*{name}.{part}" for name, child in whole for part in shape.relations[name].parts if part not in child))


def _wants(asked: FieldTree, shape: TotalledShape) -> bool:
    if _named_totals(asked, shape) and any(name in shape.relations and child.whole for name, child in asked):
        return True
    return any(
        (name in shape.totals and name not in shape.stored) or (name in shape.relations and _wants(child, shape.relations[name]))
        for name, child in asked
    )


def _columns_of(asked: FieldTree, shape: TotalledShape) -> FieldTree:
    """The tree without totals, which the database doesn't know."""
    children = {
        name: _columns_of(child, shape.relations[name]) if name in shape.relations else child
        for name, child in asked
        if name not in shape.totals
    }
    return FieldTree({name: child for name, child in children.items() if child}, all=asked.all, named=asked.named)


def _ingredients(shape: TotalledShape, prefix: str = "") -> list[str]:
    found = [f"{prefix}{name}" for name in shape.made_of]
    for name, below in shape.relations.items():
        found += _ingredients(below, f"{prefix}{name}.")
    return found
