"""Splitting a query between modules: what each module is asked, and how the answers are joined.

The catalogue knows every entity of the shop and every edge between modules. A plan asks one module for its part of a
field tree and lists the joins that bring the rest; each join has a plan of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..budget import RELATIONS, VISITS
from ..errors import InvalidData, Misconfigured
from ..sql.schema.catalog import Catalog
from ..sql.schema.entity import Entity, Relation
from ..sql.schema.fields import FieldTree
from ..sql.schema.schema import Schema
from .links import Alias, Edge, Link, Reference, aliases_of, edges_of

Path = tuple[str, ...]


class _Known(NamedTuple):
    module: str
    entity: Entity
    own: frozenset[str]
    """Names of the entity's fields in its own module, without relations."""


class Catalogue:
    """All entities of the loaded modules, and the edges between them."""

    def __init__(
        self,
        schemas: Iterable[Schema],
        *,
        links: Iterable[Link] = (),
        references: Iterable[Reference] = (),
        kept: Iterable[str] = (),
        quiet: Iterable[str] = (),
        together: Callable[[str, str], bool] = lambda one, other: False,
    ) -> None:
        """
        Args:
            kept, quiet: modules whose rows are cached, and modules that send no invalidation (`Module.caching`).
            together: whether two modules' tables lie in one database.
        """
        links = tuple(links)
        self.links = {link.name: link for link in links}
        self.linked = frozenset(side.entity for link in links for side in (link.left, link.right))
        """The entities that can be linked."""
        self.kept = frozenset(kept)
        self.quiet = frozenset(quiet)
        self._together = together
        self._entities: dict[str, _Known] = {}
        self._catalogs: dict[str, Catalog] = {}
        for schema in schemas:
            self._catalogs[schema.module] = Catalog(schema)
            for entity in schema.entities.values():
                if entity.name in self._entities:
                    raise Misconfigured(
                        f"Two modules have an entity {entity.name}: {self._entities[entity.name].module} and {schema.module}"
                    )
                own = frozenset((*entity.table.c.keys(), *entity.computed)) - entity.relations.keys()
                self._entities[entity.name] = _Known(schema.module, entity, own)
        self.translatable: Mapping[str, tuple[str, ...]] = {
            name: known.entity.translatable
            for name, known in sorted(self._entities.items())
            if known.entity.translatable and known.entity.view_of is None
        }
        """Entity → its columns that can be translated."""
        self._edges = edges_of(links, references)
        self._aliases = aliases_of(links)
        self._of_module: dict[str, frozenset[str]] = {}
        for name, known in self._entities.items():
            self._of_module[known.module] = self._of_module.get(known.module, frozenset()) | {name}
        self.linked_tables = {self._entities[name].entity.table.name: name for name in self.linked if name in self._entities}
        """The entities that can be linked, by their tables."""
        self._link_keys = {link.name: (link.left.key, link.right.key) for link in links}

    def module_of(self, entity: str) -> str:
        return self._find(entity).module

    @property
    def modules(self) -> tuple[str, ...]:
        """The names of the modules, and of what answers like one."""
        return tuple(self._of_module)

    def has_module(self, name: str) -> bool:
        return name in self._of_module

    def entities_of(self, module: str) -> frozenset[str]:
        """Names of a module's entities: the tags of its invalidation."""
        return self._of_module.get(module, frozenset())

    def entity(self, name: str) -> Entity:
        """The entity of that name. Raises InvalidData for a name that no loaded module has."""
        return self._find(name).entity

    def catalog_of(self, entity: str) -> Catalog:
        """Fields and relations of the entities of that entity's module."""
        return self._catalogs[self.module_of(entity)]

    def relation(self, entity: str, name: str) -> Relation | None:
        """The relation of that name inside the entity's own module."""
        return self._find(entity).entity.relations.get(name)

    def own_columns(self, entity: str) -> frozenset[str]:
        """Names of the fields that the entity's own module shows, without its relations."""
        return self._find(entity).own

    def owns(self, entity: str, name: str) -> bool:
        """Whether the entity's own module shows a column or relation of that name."""
        known = self._find(entity)
        return name in known.own or name in known.entity.relations

    def edge(self, entity: str, name: str) -> Edge | None:
        """The edge of that name to another module. Names of the entity's own module take precedence."""
        found = self._edges.get(entity, {}).get(name)
        return None if found is None or self.owns(entity, name) else found

    def alias(self, entity: str, name: str) -> Alias | None:
        found = self._aliases.get(entity, {}).get(name)
        return None if found is None or self.owns(entity, name) else found

    def single(self, entity: str) -> dict[str, str]:
        """The names under which a row of the entity shows one row of another, in any module, and the other's entity. Links aren't among
        them."""
        found = {name: relation.target for name, relation in self.entity(entity).relations.items() if relation.kind == "one"}
        for name, edge in self._edges.get(entity, {}).items():
            if not edge.many and edge.target not in self.links and not self.owns(entity, name):
                found[name] = edge.target
        for name, alias in self._aliases.get(entity, {}).items():
            if not alias.many and not self.owns(entity, name) and (target := self.target(entity, name)) is not None:
                found[name] = target
        return found

    def target(self, entity: str, name: str) -> str | None:
        """The entity whose rows a name shows: that of a relation, an edge or an alias; None where it shows none."""
        if (relation := self.relation(entity, name)) is not None:
            return relation.target
        if (edge := self.edge(entity, name)) is not None:
            return edge.target
        if (alias := self.alias(entity, name)) is None:
            return None
        at: str | None = entity
        for step in alias.path:
            at = self.target(at, step) if at is not None else None
        return at

    def rows_with(self, entity: str, column: str) -> str | None:
        """The name of the entity's link rows that have this column: `sales_channel_id` of a product."""
        if self.owns(entity, column):
            return None
        for name, edge in self._edges.get(entity, {}).items():
            if column != edge.target_key and column in self._link_keys.get(edge.target, ()):
                return name
        return None

    def link_keys(self, link: str) -> Path:
        """The two key columns of a link; empty for any other entity."""
        return self._link_keys.get(link, ())

    def is_link_beside(self, entity: str, link: str) -> bool:
        """Whether this is a link whose table lies in the database of the entity's module."""
        return link in self._link_keys and self._together(self.module_of(entity), self.module_of(link))

    def keys(self, entity: str) -> Path:
        """The columns that identify a row of the entity: shown even where only joining asked for them."""
        return (*self._link_keys.get(entity, ()), self._find(entity).entity.key)

    def _find(self, name: str) -> _Known:
        try:
            return self._entities[name]
        except KeyError:
            raise InvalidData(f"There is no entity called {name}") from None


@dataclass(frozen=True, slots=True)
class Join:
    """Joins rows of another module to some rows of a plan."""

    path: Path
    """Relations inside the module that lead from the plan's rows to the rows that are joined to."""
    name: str
    """The name of the joined rows there."""
    key: str
    """Their column that equals the other's `target_key`."""
    target_key: str
    many: bool
    """Whether several of the other's rows may belong to one of ours."""
    plan: Plan
    take: Path = ()
    """For an alias: the path below the other's rows to the rows that are shown."""
    take_many: bool = False
    """For an alias: whether it shows a list."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask of one module, and what to join to its answer."""

    module: str
    entity: str
    fields: tuple[str, ...]
    joins: tuple[Join, ...] = ()
    prune: tuple[tuple[Path, str], ...] = ()
    """Columns that were read for joining only: their paths and names."""
    relations: int = 0
    """How many relations are shown, including those of joined rows."""
    local: bool = field(init=False)
    """Whether the module's answer needs nothing added or removed."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "local", not (self.joins or self.prune))


@dataclass(frozen=True, slots=True)
class Hop:
    """One relation of a path, and whether it leads to many rows."""

    entity: str
    target: str
    many: bool


Way = tuple[Hop, ...]
"""The relations that a path has passed."""


@dataclass(slots=True)
class _Draft:
    fields: list[str] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)
    prune: list[tuple[Path, str]] = field(default_factory=list)
    relations: int = 0

    def leads_through(self, relations: int) -> None:
        self.relations += relations
        if self.relations > RELATIONS:
            raise InvalidData(f"Fields may lead through {RELATIONS} relations in all.")


def plan(catalogue: Catalogue, entity: str, tree: FieldTree, *, key: str | None = None, way: Way = ()) -> Plan:
    """The plan of a field tree over an entity. `key`: a column that the caller needs of each row to join it; `way`: see `_through`.

    Raises InvalidData where the tree is beyond the budget.
    """
    draft = _Draft()
    _walk(catalogue, draft, entity, tree, (), way, key)
    module = catalogue.module_of(entity)
    return Plan(module, entity, tuple(draft.fields), tuple(draft.joins), tuple(draft.prune), draft.relations)


def _walk(catalogue: Catalogue, draft: _Draft, entity: str, tree: FieldTree, path: Path, way: Way, key: str | None = None) -> None:
    prefix = "".join(f"{segment}." for segment in path)
    needed = [key] if key else []
    leading: set[str] = set()  # columns that lead to one shown row are shown themselves
    if tree.whole:
        draft.fields.append(f"{prefix}*")
    for name, child in tree:
        if (relation := catalogue.relation(entity, name)) is not None:
            draft.leads_through(1)
            _walk(catalogue, draft, relation.target, child, (*path, name), _through(way, entity, relation.target, relation.kind != "one"))
        elif (edge := catalogue.edge(entity, name)) is not None:
            needed.append(edge.key)
            if edge.target_key == catalogue.entity(edge.target).key and edge.key not in catalogue.entity(entity).unstarred:
                leading.add(edge.key)
            draft.joins.append(_join(catalogue, entity, path, name, edge, child, way))
            draft.leads_through(1 + draft.joins[-1].plan.relations)
        elif (alias := catalogue.alias(entity, name)) is not None:
            needed.append((edge := _first_step(catalogue, entity, alias)).key)
            draft.joins.append(_join(catalogue, entity, path, name, edge, child, way, alias))
            draft.leads_through(1 + draft.joins[-1].plan.relations)
        else:  # a column, or a name that the module knows or refuses
            draft.fields.extend(child.under(f"{prefix}{name}").fields())
    for column in dict.fromkeys(needed):
        if not (tree.whole and column not in catalogue.entity(entity).unstarred) and column not in tree.children:
            draft.fields.append(f"{prefix}{column}")
            if column not in leading and (column not in catalogue.keys(entity) or (path and catalogue.entity(entity).bare)):
                draft.prune.append((path, column))


def _join(
    catalogue: Catalogue, entity: str, path: Path, name: str, edge: Edge, tree: FieldTree, way: Way, alias: Alias | None = None
) -> Join:
    take = alias.path[1:] if alias else ()
    below = tree.under(".".join(take)) if take else FieldTree(tree.children, all=tree.whole)
    inner = plan(catalogue, edge.target, below, key=edge.target_key, way=_through(way, entity, edge.target, edge.many))
    target = catalogue.entity(edge.target)
    if target.bare and not below.whole and target.key not in below.children:
        inner = replace(inner, prune=(*inner.prune, ((), target.key)))
    return Join(path, name, edge.key, edge.target_key, edge.many, inner, take, alias.many if alias else False)


def _through(way: Way, entity: str, target: str, many: bool) -> Way:
    """A path extended by one relation. Raises InvalidData where the path turns in circles that multiply rows.

    Down a tree (`category_children.category_children`) there are no more rows than the tree has. Back up from many (`images.product`) only
    single rows may follow: the images of each image's product are a thousand times a thousand.
    """
    if many:
        back_up = way[-1:] and not way[-1].many
        if entity == target and not back_up:
            return way
        if back_up and any(step.entity == entity and any(each.many for each in way[at:]) for at, step in enumerate(way)):
            raise InvalidData(f"A field comes back to {entity} and then to many rows of {target}.")
        if sum(step.many and step.target == target for step in way) >= VISITS:
            raise InvalidData(f"A field comes to many rows of {target} more than {VISITS} times.")
    return (*way, Hop(entity, target, many))


def _first_step(catalogue: Catalogue, entity: str, alias: Alias) -> Edge:
    edge = catalogue.edge(entity, alias.path[0])
    if edge is None:
        raise ValueError(f"An alias of {entity} begins with {alias.path[0]}, which is no step to another module")
    return edge
