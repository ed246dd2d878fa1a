"""A table for each link of `commerce/links.py` and of plugins, all of one shape.

Two things are linked at most once: the two keys are the primary key, and an unlinked pair that is linked again gets its old row
back. Where only one thing may be linked to one of the other side, a unique index over the rows that aren't deleted enforces it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Column, ColumnElement, Index, MetaData, Numeric, Table, Text, literal_column, text

from ...commerce.links import LINKS
from ...core.graph.links import Link, Side
from ...core.sql.schema.columns import module_metadata, timestamps
from ...core.sql.schema.deltas import keep_deltas
from ...core.sql.schema.entity import Entity
from ...core.sql.schema.schema import Schema


def link_table(link: Link, metadata: MetaData) -> Table:
    table = Table(
        link.name,
        metadata,
        Column(link.left.key, Text, primary_key=True),
        Column(link.right.key, Text, primary_key=True),
        Column("id", Text, nullable=False),
        *(
            Column(extra.name, Numeric if extra.type == "number" else Text, nullable=False, server_default=_constant(extra.default))
            for extra in link.extra
        ),
        *timestamps(),
    )
    Index(f"uq_{link.name}_id", table.c.id, unique=True)
    if link.left.many:  # else the unique index below serves this, too
        Index(f"ix_{link.name}_{link.right.key}", table.c[link.right.key])
    for side in (link.left, link.right):
        if not side.many:
            key = link.other(side).key
            Index(single_name(link, side), table.c[key], unique=True, postgresql_where=text("deleted_at IS NULL"))
    if link.keeps_deltas:
        keep_deltas(table)
    return table


def _constant(value: str) -> ColumnElement[str]:
    """As SQL: Alembic compares defaults that are strings without their quotes."""
    return literal_column("'{}'".format(value.replace("'", "''")))


def single_name(link: Link, side: Side) -> str:
    """Name of the index that lets only one of a side's things be linked to each of the other's."""
    return f"one_{side.alias}_in_{link.name}"


def schema_of(links: Iterable[Link]) -> Schema:
    """The tables of these links, and the entities over them."""
    metadata = module_metadata()
    return Schema("link", *(Entity(link.name, link_table(link, metadata), prefix=link.prefix, bare=True) for link in links))


SCHEMA = schema_of(LINKS)
metadata = SCHEMA.metadata
