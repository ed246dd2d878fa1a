"""Field trees: which columns of which relations a query wants.

    FieldTree.parse(("id", "*variants", "variants.options.value"))

A tree knows names, not schemas: a leaf may be a column or a relation named alone (which then means all its columns).
Code that has the schema decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ...errors import InvalidData
from ...kept import kept

_NONE: Mapping[str, FieldTree] = {}
TREES = 8 * 1024 * 1024
"""Bytes of trees that are kept."""


class FieldTree:
    """What is wanted of one entity. Immutable: operations return new trees.

    `all`: every column. `named`: the path to here was itself asked for, so if it leads to a relation, all its columns.
    """

    __slots__ = ("_canonical", "_hash", "all", "children", "named")

    def __init__(self, children: Mapping[str, FieldTree] = _NONE, *, all: bool = False, named: bool = False) -> None:
        self.children: Mapping[str, FieldTree] = children
        self.all = all
        self.named = named
        self._canonical: tuple[str, ...] | None = None
        self._hash: int | None = None

    @staticmethod
    def parse(fields: Iterable[str]) -> FieldTree:
        """Strings of the fields grammar as a tree. Raises InvalidData for a path with an empty segment."""
        return _parse(tuple(fields))

    # -- looking

    @property
    def whole(self) -> bool:
        """Seen as a relation: whether all its columns are wanted."""
        return self.all or self.named

    @property
    def leaf(self) -> bool:
        """A name without anything below: a column, or a relation named alone."""
        return not self.children and not self.all

    @property
    def leaves(self) -> tuple[str, ...]:
        """Names directly here that are leaves."""
        return tuple(name for name, child in self.children.items() if child.leaf)

    @property
    def relations(self) -> dict[str, FieldTree]:
        """Names directly here that can only be relations, because something below them is wanted."""
        return {name: child for name, child in self.children.items() if not child.leaf}

    def get(self, path: str) -> FieldTree | None:
        """The tree at a dotted path, or None where nothing there is wanted."""
        node: FieldTree | None = self
        for segment in path.split("."):
            node = node.children.get(segment) if node else None
        return node

    def __contains__(self, path: str) -> bool:
        return self.get(path) is not None

    def __iter__(self) -> Iterator[tuple[str, FieldTree]]:
        return iter(self.children.items())

    def __bool__(self) -> bool:
        """Whether anything is wanted at all."""
        return self.all or self.named or bool(self.children)

    def fields(self) -> tuple[str, ...]:
        """The tree as strings again, sorted: equal trees give equal tuples, so this serves as a cache key."""
        if self._canonical is None:
            self._canonical = tuple(sorted(self._paths("")))
        return self._canonical

    def depth(self) -> int:
        """Relations on the longest way down; a leaf counts as a column."""
        return max((1 + child.depth() for child in self.children.values() if not child.leaf), default=0)

    # -- making others

    def merge(self, other: FieldTree) -> FieldTree:
        """Everything that either tree wants."""
        if not other or other is self:
            return self
        children = dict(self.children)
        for name, child in other.children.items():
            mine = children.get(name)
            children[name] = mine.merge(child) if mine else child
        return FieldTree(children, all=self.all or other.all, named=self.named or other.named)

    def add(self, *paths: str) -> FieldTree:
        """This tree with further paths."""
        return self.merge(FieldTree.parse(paths))

    def without(self, path: str) -> FieldTree:
        """This tree without a path and everything below it. `a.*` and `*a` take away the star of `a` along with the rest."""
        segments, _ = _split(path)
        return self._without(segments) if segments else FieldTree(self.children, named=self.named)

    def keep(self, names: Iterable[str]) -> FieldTree:
        """This tree with only the listed ones of the names directly here; the star stays."""
        kept = set(names)
        return FieldTree({name: child for name, child in self.children.items() if name in kept}, all=self.all, named=self.named)

    def under(self, path: str) -> FieldTree:
        """This tree hung below a dotted path."""
        node = self
        for segment in reversed(path.split(".")):
            node = FieldTree({segment: node})
        return node

    # -- being a value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldTree) and self.whole == other.whole and self.fields() == other.fields()

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.whole, self.fields()))
        return self._hash

    def __repr__(self) -> str:
        return f"FieldTree({', '.join(self.fields())})"

    def _paths(self, prefix: str) -> Iterator[str]:
        if self.all:
            yield f"{prefix}*"
        for name, child in self.children.items():
            if child.named and not child.all:
                yield f"{prefix}{name}"
            yield from child._paths(f"{prefix}{name}.")

    def _without(self, segments: tuple[str, ...]) -> FieldTree:
        first, rest = segments[0], segments[1:]
        child = self.children.get(first)
        if child is None:
            return self
        children = dict(self.children)
        if rest and (smaller := child._without(rest)):
            children[first] = smaller
        else:
            del children[first]
        return FieldTree(children, all=self.all, named=self.named)


def _split(path: str) -> tuple[tuple[str, ...], bool]:
    """Segments of a path, and whether it ends in a star (`*a.b`, `a.*b` and `a.b.*` are the same)."""
    segments = path.strip().split(".")
    star = False
    if segments[-1] == "*":
        star = True
        segments.pop()
    elif path.lstrip().startswith("*"):
        star = True
        segments[0] = segments[0].removeprefix("*")
    elif segments[-1].startswith("*"):
        star = True
        segments[-1] = segments[-1].removeprefix("*")
    if not all(segment and "*" not in segment for segment in segments):
        raise InvalidData(f"Field '{path}' is not a path of names")
    return tuple(segments), star


@kept(TREES)
def _parse(fields: tuple[str, ...]) -> FieldTree:
    tree = FieldTree()
    for path in fields:
        segments, star = _split(path)
        node = FieldTree(all=star, named=not star)
        for segment in reversed(segments):
            node = FieldTree({segment: node})
        tree = tree.merge(node)
    return tree
