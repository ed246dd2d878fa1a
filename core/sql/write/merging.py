"""Metadata is changed by keys: what a change names is set, `""` takes a key away, and other keys stay. Null clears all of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, case, cast, column, func, literal_column, null, select

from ...budget import METADATA
from ...errors import InvalidData
from ...json import dumps
from ..schema.columns import Json

_NOTHING: ColumnElement[Any] = literal_column("'{}'::jsonb")
_TAKES_AWAY: ColumnElement[Any] = literal_column("""'""'::jsonb""")


def merged(kept: Mapping[str, Any] | None, change: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The metadata after a change, for rows that are written whole under the version that they were read at. Raises what `check_merged`
    raises."""
    if change is None:
        return None
    after = {name: value for name, value in ({**(kept or {}), **change}).items() if change.get(name) != ""}
    check_merged(after, change)
    return after


def check_merged(after: Mapping[str, Any] | None, change: Mapping[str, Any] | None, most: int = METADATA) -> None:
    """Raises InvalidData where a change has set keys of what has more than `most` bytes then. Keys can always be taken away."""
    if after and change and any(value != "" for value in change.values()) and len(dumps(after)) > most:
        raise InvalidData(f"Metadata may have {most} bytes in all: take keys away, by an empty text, to make room.")


def turned(kept: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The change that turns `kept` into `wanted`, for a caller that undoes a change by an update."""
    return None if wanted is None else {**{name: "" for name in kept or () if name not in wanted}, **wanted}


def merged_in_place(kept: ColumnElement[Any], change: ColumnElement[Any]) -> ColumnElement[Any]:
    """`merged` as an expression in the statement, so that neither of two concurrent changes loses the other's keys."""
    named = func.jsonb_each(change).table_valued(column("key"), column("value", Json)).render_derived(name="named")
    gone = func.array(select(named.c.key).where(named.c.value == _TAKES_AWAY).correlate_except(named).scalar_subquery())
    together = func.coalesce(kept, _NOTHING).op("||", return_type=Json)(change).op("-", return_type=Json)(gone)
    return case((change.is_(None), cast(null(), Json)), else_=together)
