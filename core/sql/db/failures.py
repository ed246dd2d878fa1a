"""Errors of PostgreSQL as errors that a client understands."""

from __future__ import annotations

import re
from typing import Any

import asyncpg
from asyncpg import exceptions as pg

from ...errors import (
    Conflict,
    DeadlineExceeded,
    InvalidData,
    NotFound,
    ReplyLost,
    Unavailable,
    UnexpectedState,
    VelellaError,
)


class Collided(Conflict):
    """Two transactions conflicted and the database rolled this one back: nothing took effect, it may be repeated."""


class Disconnected(Unavailable):
    """The connection was lost before the transaction was committed: nothing took effect, it may be repeated."""


class ReadOnly(Disconnected):
    """The server has become read-only, as after a failover: nothing took effect. Its connections are dropped: another may be primary."""


class Unready(Unavailable):
    """The database is out of resources or not up, for a while: nothing took effect, it may be repeated later."""


class OutOfTime(DeadlineExceeded):
    """The deadline passed before anything was sent to the database: nothing took effect."""


_DETAIL = re.compile(r"^Key \((?P<keys>.*?)\)=\((?P<values>.*)\) (?P<what>already exists|is not present|is still referenced)")
_GONE = re.compile("clos(ed|ing)|released back")
"""asyncpg's messages about a connection that was lost while in use."""
_UNREADY = {
    "53000": ("The database is short of resources.", 5.0),
    "53100": ("The database has no room on its disk.", 15.0),
    "53200": ("The database is out of memory.", 5.0),
    "53300": ("The database takes no more connections.", 2.0),
    "53400": ("The database has reached a limit.", 5.0),
    "57P03": ("The database is starting, stopping or recovering.", 2.0),
    "57P04": ("The database is gone.", 15.0),
    "58000": ("The database's system has failed.", 5.0),
    "58030": ("The database can't read or write its files.", 15.0),
}
"""SQLSTATE → the message for the client, and the seconds after which a retry makes sense."""
_READ_ONLY = "25006"
_LOST = (
    pg.InternalClientError,
    pg.PostgresConnectionError,
    pg.AdminShutdownError,
    pg.CrashShutdownError,
    pg.IdleInTransactionSessionTimeoutError,
    pg.IdleSessionTimeoutError,
    pg.TransactionTimeoutError,
    pg.ConnectionDoesNotExistError,
    ConnectionError,
)

_UNFIT: tuple[tuple[Any, str], ...] = (
    (pg.InvalidRegularExpressionError, "A regular expression can't be understood."),
    ((pg.InvalidEscapeSequenceError, pg.InvalidEscapeCharacterError), "A pattern ends in the middle of an escape."),
    (pg.NumericValueOutOfRangeError, "A number is too large."),
    ((pg.DatetimeFieldOverflowError, pg.InvalidDatetimeFormatError, pg.IntervalFieldOverflowError), "A time is out of range."),
    (pg.StringDataRightTruncationError, "A text is too long."),
    ((pg.CharacterNotInRepertoireError, pg.UntranslatableCharacterError), "A text holds a character that can't be stored."),
    (pg.ProgramLimitExceededError, "A value is too large to be stored or looked for."),
    ((pg.StatementTooComplexError, pg.TooManyArgumentsError), "What is asked for is too complicated."),
    (pg.DataError, "A value doesn't fit."),
)
"""Errors about values that the database doesn't take, and the message for the client. The texts of PostgreSQL and asyncpg aren't ours to
promise."""


def was_not_sent(error: BaseException) -> bool:
    """Whether a statement failed because its connection had been lost before: it may be sent on another one."""
    # InternalClientError: the server has closed the connection already, and asyncpg hasn't read that yet
    return isinstance(error, (pg.InternalClientError, pg.InterfaceError)) and (
        _GONE.search(str(error)) is not None or "another operation" in str(error)
    )


def may_be_done(error: BaseException) -> bool:
    """Whether a statement that failed with this error may have taken effect all the same."""
    refused = isinstance(error, VelellaError) and error.status < 500
    return not (refused or isinstance(error, (Disconnected, Unready, OutOfTime)))


def translated(error: BaseException, *, sent: bool = False) -> VelellaError | None:
    """Translate an error of the database to the one a client gets; None where it is a bug of ours and should stay as it is.

    `sent`: a statement that may have taken effect was under way, so a lost connection leaves its outcome unknown.
    """
    if isinstance(error, VelellaError):
        return error
    if isinstance(error, asyncpg.PostgresError):
        refusal = _refusal(error)
        if refusal is not None:
            return refusal
        if error.sqlstate == _READ_ONLY:
            return ReadOnly("The database takes no changes at the moment.", hint=str(error), retry_after=5.0)
        if error.sqlstate in _UNREADY:
            message, seconds = _UNREADY[error.sqlstate]
            return Unready(message, hint=str(error), retry_after=seconds)
    if isinstance(error, (TimeoutError, pg.QueryCanceledError)):
        return DeadlineExceeded("The database did not answer in time.")
    if was_not_sent(error):
        return Disconnected("The connection to the database was lost.")
    if isinstance(error, _LOST):
        if sent:
            return ReplyLost("The connection to the database was lost before its answer came.")
        return Disconnected("The connection to the database was lost.")
    if isinstance(error, pg.InvalidCatalogNameError | pg.InvalidAuthorizationSpecificationError | OSError):
        return Unready("The database can't be reached.", hint=str(error))
    if isinstance(error, pg.UndefinedTableError | pg.UndefinedColumnError):
        return UnexpectedState("The database has an older schema.", hint=f"Run `velella migrate`: {error}.")
    for kinds, words in _UNFIT:
        if isinstance(error, kinds):
            return InvalidData(words, hint=str(error))
    if isinstance(error, pg.InterfaceError) and isinstance(error, ValueError):  # asyncpg can't encode it, so it wasn't sent
        return InvalidData("A value doesn't fit the field that it is for", hint=str(error))
    return None


def _refusal(error: asyncpg.PostgresError) -> VelellaError | None:
    """The errors for rows refused by a constraint, and for transactions that conflicted."""
    table = _words(getattr(error, "table_name", None) or "row")
    match error:
        case pg.UniqueViolationError():
            return InvalidData(f"{table} with {_pairs(error)}, already exists.")
        case pg.ForeignKeyViolationError():
            detail = getattr(error, "detail", None) or ""
            if "still referenced" in detail:
                other = _words(detail.rpartition(" from table ")[2].strip('".')).lower()
                return NotFound(f"{table} with {_pairs(error)} is still used by a {other}")
            return NotFound(f"{table} refers to {_pairs(error)}, which does not exist")
        case pg.NotNullViolationError():
            return InvalidData(f"{table} needs a value for {getattr(error, 'column_name', 'a column')}")
        case pg.CheckViolationError():
            return InvalidData(f"{table} breaks the rule {getattr(error, 'constraint_name', '')}")
        case pg.ExclusionViolationError():
            return InvalidData(f"{table} overlaps with another one")
        case pg.SerializationError() | pg.DeadlockDetectedError():
            return Collided("The same thing is being changed elsewhere. Try again.")
        case pg.LockNotAvailableError():
            return Conflict("The same thing is being changed elsewhere. Try again.")
    return None


def _words(table: str) -> str:
    words = table.replace("_", " ")
    return words[:1].upper() + words[1:]


def _pairs(error: asyncpg.PostgresError) -> str:
    """Read `handle: my-handle, currency_code: eur` from the detail that PostgreSQL gives."""
    found = _DETAIL.match(getattr(error, "detail", None) or "")
    if found is None:
        return str(getattr(error, "constraint_name", "") or "the same values")
    keys, values = found["keys"].split(", "), found["values"].split(", ")
    if len(keys) != len(values):  # a value with a comma in it: don't guess where it ends
        return f"{found['keys']}: {found['values']}"
    return ", ".join(f"{key}: {value}" for key, value in zip(keys, values, strict=True))
