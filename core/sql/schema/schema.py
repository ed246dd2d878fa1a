"""A module's schema: its entities, checked against their tables."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import MetaData, Table

from ...errors import InvalidData
from .columns import ROOT, message_table
from .document_views import views_of
from .entity import DocumentPart, Entity, Relation


class Schema:
    """All entities of one module. The module's inbox joins their metadata by itself."""

    def __init__(self, module: str, *entities: Entity, metadata: MetaData | None = None) -> None:
        """`metadata`: only for a module that has no entities, or keeps further tables elsewhere."""
        if metadata is None:
            if not entities:
                raise TypeError(f"The schema of {module} has neither entities nor metadata")
            metadata = entities[0].table.metadata
        self.module = module
        self.metadata = metadata
        self.messages: Table = message_table(metadata, module)
        self.entities: dict[str, Entity] = {entity.name: entity for entity in entities}
        self.views = tuple((entity.name, entity.view_of) for entity in entities if entity.view_of is not None)
        for entity in entities:
            for name, relation in entity.relations.items():
                self._check(entity, name, relation)
        self.parts: dict[str, tuple[DocumentPart, ...]] = {
            entity.name: self._parts(entity, entity, ()) for entity in entities if entity.document is not None
        }
        """By entity with a document: its parts."""
        if self.parts:
            self.metadata.info["views"] = {
                **self.metadata.info.get("views", {}),
                **views_of((self[root], parts) for root, parts in self.parts.items()),
            }
        self._check_documents()

    def __getitem__(self, name: str) -> Entity:
        """Raises InvalidData for a name that isn't an entity of this module."""
        try:
            return self.entities[name]
        except KeyError:
            raise InvalidData(f"The {self.module} module has no entity {name}") from None

    def __contains__(self, name: str) -> bool:
        return name in self.entities

    def _parts(self, root: Entity, entity: Entity, above: tuple[str, ...]) -> tuple[DocumentPart, ...]:
        """The parts of a document below a row: relations to entities inside it, except those that lead back up."""
        above = (*above, entity.name)
        down = ((name, relation, self[relation.target]) for name, relation in entity.relations.items() if relation.target not in above)
        parts = tuple(
            DocumentPart(name, relation, target, self._parts(root, target, above))
            for name, relation, target in down
            if target.inside == root.name
        )
        for part in parts:
            if part.owner_key and part.relation.key != entity.key and not part.many:
                raise TypeError(f"{part.entity.name} is found by {entity.name}.{entity.key} where it lies, not by {part.relation.key}")
        return parts

    def _check_documents(self) -> None:
        """Check the relations of entities with documents."""
        lying = {part.entity.name for parts in self.parts.values() for part in _all_of(parts)}
        for entity in self.entities.values():
            if (entity.inside is not None) != (entity.name in lying):
                raise TypeError(f"{entity.name} lies in a document only where relations lead to it from there, and it says so")
            if entity.inside is not None and ROOT not in entity.table.c:
                raise TypeError(f"{entity.name} needs the column {entity.table.name}.{ROOT}, which isn't there")
            if entity.document is not None:
                columns = {entity.document.column, entity.document.number, *entity.document.found_by.values()}
                if missing := columns - set(entity.table.c.keys()):
                    raise TypeError(f"{entity.name} needs the columns {', '.join(sorted(missing))}, which aren't there")

    def _check(self, entity: Entity, name: str, relation: Relation) -> None:
        """Check a relation, so that a mistake in it fails the module's import and not the first request that uses it."""
        target = self.entities.get(relation.target)
        if target is None:
            raise TypeError(f"{entity.name}.{name} leads to {relation.target}, which is no entity of {self.module}")
        if relation.kind == "through":
            if relation.pivot is None:
                raise TypeError(f"{entity.name}.{name} needs its pivot table")
            columns = [(relation.pivot, relation.key), (relation.pivot, relation.other_key), (entity.table, relation.own_key or entity.key)]
        elif relation.kind == "one":
            columns = [(entity.table, relation.key), (target.table, relation.other_key)]
        else:
            columns = [(target.table, relation.key), (entity.table, relation.other_key)]
        columns += [(entity.table, relation.root_key)] if relation.root_key is not None else []
        for table, column in columns:
            if column not in table.c:
                raise TypeError(f"{entity.name}.{name} needs the column {table.name}.{column}, which isn't there")


def _all_of(parts: tuple[DocumentPart, ...]) -> Iterator[DocumentPart]:
    for part in parts:
        yield part
        yield from _all_of(part.parts)
