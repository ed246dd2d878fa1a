"""Statements compiled once: the text for PostgreSQL and the order in which it takes its parameters.

    RESERVE = compiled(update(level).where(level.c.id == bindparam("id"))…)
    await database.fetch(RESERVE, {"id": "ilev_01…"})

SQLAlchemy writes the text, asyncpg runs it; serving a request runs no code of SQLAlchemy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import ARRAY, JSON, BindParameter, ColumnElement, Select, any_, bindparam, column, select, text
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import ClauseElement

from ...kept import kept

DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call]
WIDE = 24 * 1024
"""Characters. A longer statement is neither kept nor prepared: a plan takes about sixty times the memory of its text. Few are longer."""


class Compiled:
    """A statement ready to run. Parameters are given by the names of its `bindparam`s."""

    __slots__ = ("_defaults", "names", "sql")

    def __init__(self, sql: str, names: tuple[str, ...] = (), defaults: Mapping[str, Any] | None = None) -> None:
        self.sql = sql
        self.names = names
        self._defaults = dict(defaults or {})

    def arguments(self, params: Mapping[str, Any] | None = None) -> list[Any]:
        """The values in the order of $1, $2, … Raises KeyError for one that is missing."""
        if not params:
            return [self._defaults[name] for name in self.names]
        if not self._defaults:
            return [params[name] for name in self.names]
        defaults = self._defaults
        return [params[name] if name in params else defaults[name] for name in self.names]

    def __repr__(self) -> str:
        return f"Compiled({self.sql!r})"


class SelfRecording(Compiled):
    """A statement that gives one value, and its variant that also records that value in the inbox."""

    __slots__ = ("recording", "source")

    def __init__(self, made: Compiled, source: Select[Any] | UpdateBase) -> None:
        super().__init__(made.sql, made.names, made._defaults)
        self.source = source
        self.recording: Compiled | None = None
        """The variant. `Inbox.record` makes it on first use."""


class BoundStatement(NamedTuple):
    """A statement with its arguments in order."""

    sql: str
    arguments: Sequence[Any] = ()
    custom_plan: bool = False
    """Whether PostgreSQL makes a custom plan for these values: set where the best plan depends on how many rows they select."""


def together(*asked: BoundStatement) -> BoundStatement:
    """One statement of several that give one value each: its row has these values, of one snapshot, in their order."""
    sql = _together(tuple(each.sql for each in asked))
    return BoundStatement(sql, [value for each in asked for value in each.arguments], any(each.custom_plan for each in asked))


@kept(16 * 1024 * 1024)
def _together(texts: tuple[str, ...]) -> str:
    parts, before = [], 0
    for sql in texts:
        pieces = _PARAMETER.split(sql)  # text, number, text, number, … text
        numbers = [int(number) for number in pieces[1::2]]
        pieces[1::2] = [f"${before + number}" for number in numbers]
        parts.append(f"({''.join(pieces)})")
        before += max(numbers, default=0)
    return f"SELECT {', '.join(parts)}"


_PARAMETER = re.compile(r"\$(\d+)")


def compiled(statement: ClauseElement) -> Compiled:
    """Compile a SQLAlchemy statement for asyncpg.

    Values written into the statement itself become parameters with that value. `column.in_(…)` is refused: its text
    would differ with every length; `any_of` takes a list of any length as one parameter.
    """
    made = cast(SQLCompiler, statement.compile(dialect=DIALECT))
    if made.post_compile_params or made.literal_execute_params:
        raise TypeError(f"A statement with an expanding parameter can't be compiled once: use any_of. {made.string}")
    names = tuple(made.positiontup or ())
    defaults = {name: made.binds[name].value for name in names if not made.binds[name].required}
    return Compiled(made.string, names, defaults)


def answering(statement: Select[Any] | UpdateBase) -> SelfRecording:
    """Compile a statement that gives one value and is the whole of a write (see `message.Message`)."""
    return SelfRecording(compiled(statement), statement)


def answering_text(**parts: str) -> SelfRecording:
    """`answering` for SQL that is written out: the parts of its WITH, in their order. The last part gives the value as JSON, in one column
    that has the part's name."""
    *before, (name, last) = parts.items()
    value = text(last).columns(column(name, JSON)).cte(name)
    return answering(select(value.c[name]).add_cte(*(text(part).columns().cte(each) for each, part in before)))


def any_of(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """`column = ANY (:name)`, where the parameter is a list of any length."""
    return column == any_(array_param(name, column))


def array_param(name: str, column: ColumnElement[Any]) -> BindParameter[Any]:
    """A parameter that takes a list of what the column holds."""
    return bindparam(name, type_=ARRAY(column.type))
