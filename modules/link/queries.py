"""The statements over one link's table. They are the same for all links, so they are made from the table once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Numeric, Table, Text, and_, bindparam, column, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from ...core.query.links import LINKS, Link
from ...core.sql.compiled import Compiled, any_of, array_param, compiled
from .tables import metadata


@dataclass(frozen=True, slots=True)
class LinkStatements:
    attach: Compiled
    """Ties of parallel lists of keys, ids and further columns; those that are tied already stay as they are.
    Gives the keys of those that were not tied before."""
    adjust: Compiled | None
    """Further columns of ties that exist, where they differ. None for links without any."""
    detach: Compiled
    """Undoes the ties of parallel lists of keys; gives the keys of those there were."""
    revive: Compiled
    """Brings back undone ties by their ids."""
    release: Mapping[str, Compiled]
    """By key column: undoes all ties of some things; gives ids and keys."""


def statements_of(link: Link, table: Table) -> LinkStatements:
    left, right = table.c[link.left.key], table.c[link.right.key]
    extra = [table.c[c.name] for c in link.extra]
    living = table.c.deleted_at.is_(None)

    names = [left.name, right.name, "id", *(c.name for c in extra)]
    given = (
        func.unnest(*(array_param(name, table.c[name]) for name in names))
        .table_valued(*(column(name, Numeric if isinstance(table.c[name].type, Numeric) else Text) for name in names), name="given")
        .render_derived()
    )
    asked = insert(table).from_select(names, select(*given.c).order_by(given.c[left.name], given.c[right.name]))
    attach = asked.on_conflict_do_update(
        index_elements=[left, right],
        set_={
            "id": asked.excluded.id,  # ids sort by time: what was tied last comes last
            "deleted_at": None,
            "updated_at": func.now(),
            **{c.name: asked.excluded[c.name] for c in extra},
        },
        where=table.c.deleted_at.is_not(None),
    ).returning(left, right)

    def same_pair() -> ColumnElement[bool]:
        return and_(left == given.c[left.name], right == given.c[right.name])

    adjust = (
        update(table)
        .values({c.name: given.c[c.name] for c in extra} | {"updated_at": func.now()})
        .where(same_pair(), living, or_(false(), *(c != given.c[c.name] for c in extra)))
    )
    pairs = (
        func.unnest(array_param(left.name, left), array_param(right.name, right))
        .table_valued(column(left.name, Text), column(right.name, Text), name="given")
        .render_derived()
    )
    undone = update(table).values(deleted_at=func.now(), updated_at=func.now()).where(living)
    detach = undone.where(left == pairs.c[left.name], right == pairs.c[right.name]).returning(left, right)
    revive = update(table).values(deleted_at=None, updated_at=func.now()).where(any_of(table.c.id, "ids"))
    return LinkStatements(
        attach=compiled(attach),
        adjust=compiled(adjust) if extra else None,
        detach=compiled(detach),
        revive=compiled(revive),
        release={key.name: compiled(undone.where(any_of(key, "ids")).returning(table.c.id, left, right)) for key in (left, right)},
    )


STATEMENTS: Mapping[str, LinkStatements] = {link.name: statements_of(link, metadata.tables[link.name]) for link in LINKS}

SERIALIZE = compiled(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("what", type_=Text), 0))))
"""Lets the transactions that rewrite one thing's ties follow each other."""
