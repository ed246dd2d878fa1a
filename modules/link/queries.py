"""The statements over one link's table. They are the same for all links, so they are made from each table once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    MetaData,
    Numeric,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    column,
    false,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from ...core.graph.links import Link
from ...core.sql.db.compiled import Compiled, SelfRecording, answering, any_of, array_param, compiled
from ...core.sql.schema.values import shown_time


@dataclass(frozen=True, slots=True)
class LinkStatements:
    adjust: Compiled | None
    """Sets further columns of existing links, where they differ; gives the rows before and after. None for links without such columns."""
    detach: SelfRecording
    """Unlinks pairs given as parallel lists of keys; gives the JSON of the keys of those that were linked, and the time (`deleted_at`)."""
    release: Mapping[str, SelfRecording]
    """By key column: removes all links of some things; gives the same."""


def statements_of(link: Link, table: Table) -> LinkStatements:
    left, right = table.c[link.left.key], table.c[link.right.key]
    extra = [table.c[c.name] for c in link.extra]
    living = table.c.deleted_at.is_(None)

    given = _given(link, table)

    def same_pair() -> ColumnElement[bool]:
        return and_(left == given.c[left.name], right == given.c[right.name])

    wanted = [given.c[c.name].label(f"new_{c.name}") for c in extra]
    held = select(left, right, *extra, *wanted).where(same_pair(), living, or_(false(), *(c != given.c[c.name] for c in extra)))
    was = held.order_by(left, right).with_for_update(of=table).cte("was")
    names = [left.name, right.name, *(c.name for c in extra)]
    adjusted = (
        update(table)
        .values({c.name: was.c[f"new_{c.name}"] for c in extra} | {"updated_at": func.now()})
        .where(left == was.c[left.name], right == was.c[right.name])
        .returning(_json(was.c, names).label("was"), _json(table.c, names).label("stored"))
    )
    pairs = (
        func.unnest(array_param(left.name, left), array_param(right.name, right))
        .table_valued(column(left.name, Text), column(right.name, Text), name="given")
        .render_derived()
    )
    undone = update(table).values(deleted_at=func.now(), updated_at=func.now()).where(living)

    def listing(undoing: Update) -> SelfRecording:
        rows = undoing.returning(left, right, shown_time(table.c.deleted_at).label("deleted_at")).cte("undone").select().subquery("rows")
        return answering(select(func.coalesce(func.json_agg(func.row_to_json(rows.table_valued())), literal_column("'[]'::json"))))

    return LinkStatements(
        adjust=compiled(adjusted) if extra else None,
        detach=listing(undone.where(left == pairs.c[left.name], right == pairs.c[right.name])),
        release={key.name: listing(undone.where(any_of(key, "ids"))) for key in (left, right)},
    )


def _json(columns: Any, names: Sequence[str]) -> ColumnElement[Any]:
    named: list[ColumnElement[Any]] = []
    for name in names:
        named += [literal_column(f"'{name}'"), columns[name]]
    return func.jsonb_build_object(*named)


def _given(link: Link, table: Table, suffix: str = "") -> Any:
    """The links in parallel lists, as rows."""
    names = _names(link)
    return (
        func.unnest(*(array_param(name + suffix, table.c[name]) for name in names))
        .table_valued(
            *(column(name, Numeric if isinstance(table.c[name].type, Numeric) else Text) for name in names), name=f"given{suffix}"
        )
        .render_derived()
    )


def _names(link: Link) -> list[str]:
    return [link.left.key, link.right.key, "id", *(extra.name for extra in link.extra)]


def attaching(link: Link, table: Table, suffix: str = "") -> ReturningInsert[Any]:
    """Link pairs given as parallel lists of keys, ids and further columns; existing links stay as they are.

    Gives keys and ids of the new links. Its parameters are named like the columns, plus the suffix.
    """
    left, right = table.c[link.left.key], table.c[link.right.key]
    given = _given(link, table, suffix)
    asked = insert(table).from_select(_names(link), select(*given.c).order_by(given.c[left.name], given.c[right.name]))
    return asked.on_conflict_do_update(
        index_elements=[left, right],
        set_={
            "id": asked.excluded.id,  # ids sort by time: what was linked last comes last
            "deleted_at": None,
            "updated_at": func.now(),
            **{extra.name: asked.excluded[extra.name] for extra in link.extra},
        },
        where=table.c.deleted_at.is_not(None),
    ).returning(left, right, table.c.id)


def pairs(link: Link, table: Table, key: str, name: str) -> ColumnElement[object]:
    """Both keys and the further columns of the rows that aren't deleted, in the order they were created."""
    link_row = table.alias(name)
    shown: list[ColumnElement[object]] = []
    for name_of_column in (link.left.key, link.right.key, *(extra.name for extra in link.extra)):
        value = link_row.c[name_of_column]
        shown += [literal_column(f"'{name_of_column}'"), func.trim_scale(value) if isinstance(value.type, Numeric) else value]
    found = select(func.json_build_object(*shown).label("pair")).where(any_of(link_row.c[key], name), link_row.c.deleted_at.is_(None))
    rows = found.order_by(link_row.c.id).subquery(f"{name}_rows")
    return select(func.coalesce(func.json_agg(rows.c.pair), literal_column("'[]'::json"))).scalar_subquery()


class LinkQueries:
    """All statements over some links; those over several links are made when they are first needed."""

    def __init__(self, links: Iterable[Link], metadata: MetaData) -> None:
        self.links: Mapping[str, Link] = {link.name: link for link in links}
        self._tables = metadata.tables
        self.of: Mapping[str, LinkStatements] = {name: statements_of(link, self._tables[name]) for name, link in self.links.items()}
        self.attaching_all = lru_cache(maxsize=256)(self._attaching_all)
        self.pairs_of = lru_cache(maxsize=256)(self._pairs_of)

    def _attaching_all(self, links: tuple[str, ...]) -> SelfRecording:
        """`attaching` for several links as one statement: a JSON list with a list for each.

        Parameters are suffixed `_0`, `_1`, … in the order of the links.
        """
        lists = []
        for number, name in enumerate(links):
            made = attaching(self.links[name], self._tables[name], f"_{number}").cte(f"made_{number}")
            rows = select(*made.c).subquery(f"ties_{number}")
            listed = func.coalesce(func.json_agg(func.row_to_json(rows.table_valued())), literal_column("'[]'::json"))
            lists.append(select(listed).scalar_subquery())
        return answering(select(func.json_build_array(*lists)))

    def _pairs_of(self, asks: tuple[tuple[str, str], ...]) -> Compiled:
        """The rows of several (link, key column) pairs, as one JSON list of lists, so that a flow reads everything about a cart's lines at
        once. Parameters: the ids `ids0`, `ids1`, … in that order."""
        lists = [pairs(self.links[link], self._tables[link], key, f"ids{number}") for number, (link, key) in enumerate(asks)]
        return compiled(select(func.json_build_array(*lists)))


SERIALIZE = compiled(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("what", type_=Text), 0))))
"""Serialises the transactions that rewrite one thing's links."""
