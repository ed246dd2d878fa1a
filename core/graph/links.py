"""How rows of different modules belong together. Modules know nothing of each other: links and references connect them.

A *link* is a table of the link module whose rows connect two things. A *reference* is a column of one module that holds
the key of another module's row. Both become *edges* that the planner (`graph.py`) follows, and *aliases*, short names for
longer paths: `product.sales_channels` is `sales_channels_link.sales_channel`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two entities that a link connects."""

    module: str
    entity: str
    key: str
    """Column of the link's table that holds the thing's id."""
    alias: str
    """The name of the thing in a row of the link."""
    rows: str
    """The name of the link's rows on the thing: `product.sales_channels_link`."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Short names on the thing → path below the link's rows. A path that ends in `[]` leads to a list inside the other module."""
    many: bool = True
    """Whether several of these may be linked to one of the other side. Otherwise the database refuses a second one."""
    cascade: bool = False
    """Whether deleting the other side's thing deletes this one."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a link's table besides the two keys."""

    name: str
    type: Literal["number", "text"]
    default: str


@dataclass(frozen=True, slots=True)
class Link:
    """A table of the link module. Its name is also the name under which its rows can be queried."""

    name: str
    prefix: str
    left: Side
    right: Side
    extra: tuple[Column, ...] = ()
    kept: bool = True
    """Whether its rows are cached where they are asked for by keys. Not for links that change with every order."""
    keeps_deltas: bool = False
    """Whether its table keeps deltas (`sql/schema/deltas.py`): long lists are filtered by it."""

    def side(self, key: str) -> Side:
        """The side whose column is `key`."""
        for side in (self.left, self.right):
            if side.key == key:
                return side
        raise KeyError(f"Link {self.name} has no column {key}: it has {self.left.key} and {self.right.key}")

    def other(self, side: Side) -> Side:
        return self.right if side is self.left else self.left


@dataclass(frozen=True, slots=True)
class End:
    """One of the two things that `link` ties together."""

    entity: str
    """Module and entity: `product.product_variant`."""
    many: bool = True
    """Whether several of these may be linked to one of the other side."""
    name: str = ""
    """What the other side's thing calls these. By default as the entity, in the plural where they may be several."""
    alias: str = ""
    """What a row of the link calls this one, and its column: `brand`, `brand_id`. By default as the entity."""
    cascade: bool = False
    """Whether deleting the other side's thing deletes these."""


def link(
    left: str | End, right: str | End, *, many: bool = True, columns: tuple[Column, ...] = (), name: str = "", kept: bool = True
) -> Link:
    """A link between things of any two modules, for `Plugin(links=…)`. Its table is made and migrated like those of modules.

    link("product.product", "brand.brand", many=False)       # product.brand, brand.products
    link("product.product", End("product.product", alias="accessory", name="accessories"), columns=(Column("rank", "number", "0"),))

    Args:
        many: whether several of the right side may be linked to one of the left, where `right` is no `End`.
        columns: further columns of a row.
        name: the link's, and its table's. By default both aliases: `product_brand`.
        kept: see `Link.kept`.

    Raises ValueError for an entity without its module, where both ends have one alias, and for a number's default that is none.
    """
    one, other = left if isinstance(left, End) else End(left), right if isinstance(right, End) else End(right, many)
    aliases = _alias(one), _alias(other)
    if aliases[0] == aliases[1]:
        raise ValueError(f"A link of {one.entity} with itself needs an alias for one of its ends: End({one.entity!r}, alias=…)")
    name = name or "_".join(aliases)
    if not _NAME.fullmatch(name) or not all(_NAME.fullmatch(column.name) for column in columns):
        raise ValueError(f"The link {name} and its columns have to be called by small letters, digits and _")
    if wrong := [column for column in columns if column.type == "number" and not _NUMBER.fullmatch(column.default)]:
        raise ValueError(f"{name}.{wrong[0].name} is a number: its default can't be {wrong[0].default!r}")
    return Link(name, name.replace("_", ""), _side(one, other), _side(other, one), columns, kept)


_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")


def _alias(end: End) -> str:
    return end.alias or end.entity.rpartition(".")[2]


def _called(end: End) -> str:
    if end.name or not end.many:
        return end.name or _alias(end)
    alias = _alias(end)
    return f"{alias[:-1]}ies" if alias.endswith("y") else f"{alias}es" if alias.endswith("s") else f"{alias}s"


def _side(end: End, other: End) -> Side:
    module, _, entity = end.entity.partition(".")
    if not entity:
        raise ValueError(f"What is linked is named by its module and entity, {entity or end.entity}.{end.entity} for example")
    called = _called(other)
    return Side(
        module, entity, f"{_alias(end)}_id", _alias(end), f"{called}_link", {called: _alias(other)}, many=end.many, cascade=end.cascade
    )


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that holds the key of another module's row, and the names of both ends."""

    entity: str
    name: str
    """The name of the other row on the entity."""
    key: str
    """The entity's column with the key."""
    target: str
    """The other entity."""
    target_key: str = "id"
    many: bool = False
    """Shown as a list, though there is at most one."""
    back: str | None = None
    """The name, on the other row, of the rows that hold its key; None where it has none."""
    back_many: bool = True
    """Whether that name shows a list. Else there is at most one row."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One step from an entity to another, in another module: our `key` equals their `target_key`."""

    key: str
    target: str
    target_key: str
    many: bool


@dataclass(frozen=True, slots=True)
class Alias:
    """A short name for a longer path."""

    path: tuple[str, ...]
    many: bool


def edges_of(links: Iterable[Link], references: Iterable[Reference]) -> dict[str, dict[str, Edge]]:
    """Entity → name → edge. The rows of a link are an entity of their own, with an edge to either side.

    Raises ValueError where two edges of one entity have one name: two plugins that both call something `reviews`.
    """
    found: dict[str, dict[str, Edge]] = {}

    def add(entity: str, name: str, edge: Edge) -> None:
        if name in found.setdefault(entity, {}):
            raise ValueError(f"{entity}.{name} leads to {found[entity][name].target} and to {edge.target}")
        found[entity][name] = edge

    for link in links:
        for side in (link.left, link.right):
            add(side.entity, side.rows, Edge("id", link.name, side.key, link.other(side).many))
            add(link.name, side.alias, Edge(side.key, side.entity, "id", many=False))
    for ref in references:
        add(ref.entity, ref.name, Edge(ref.key, ref.target, ref.target_key, ref.many))
        if ref.back:
            add(ref.target, ref.back, Edge(ref.target_key, ref.entity, ref.key, ref.back_many))
    return found


def aliases_of(links: Iterable[Link]) -> dict[str, dict[str, Alias]]:
    """Entity → name → the path that it stands for."""
    found: dict[str, dict[str, Alias]] = {}
    for link in links:
        for side in (link.left, link.right):
            for name, path in side.names.items():
                many = link.other(side).many or path.endswith("[]")
                found.setdefault(side.entity, {})[name] = Alias((side.rows, *path.removesuffix("[]").split(".")), many)
    return found
