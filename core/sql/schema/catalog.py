"""The catalog: what the kernel derives from a schema, once."""

from __future__ import annotations

from .entity import Entity
from .schema import Schema
from .values import Field, fields_of


class Catalog:
    """Fields and relations of a module's entities."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._fields: dict[str, dict[str, Field]] = {name: fields_of(entity) for name, entity in schema.entities.items()}

    def fields(self, entity: Entity) -> dict[str, Field]:
        """Every field of an entity by name: columns, raw_ twins, expressions."""
        return self._fields[entity.name]

    def target(self, entity: Entity, relation: str) -> Entity:
        """The entity that a relation leads to."""
        return self.schema[entity.relations[relation].target]
