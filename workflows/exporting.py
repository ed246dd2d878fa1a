"""Exports: a background step that writes a CSV file, page by page, and a note in the dashboard's feed that leads to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from ..core.errors import VelellaError
from ..core.ids import new_id
from ..core.rows import Row
from ..core.sheets import Sheet
from ..core.sql.schema.query import Query
from ..modules import Modules
from ..modules.file.files import Files
from .feed import tell
from .kit import Flow, Retry, step

PAGE: Final = 100
"""Things that are read at once."""
EXPORT_SECONDS: Final = 3600.0
CSV: Final = "text/csv"


class WithModules(Protocol):
    """A flow, or a shop at hand."""

    @property
    def modules(self) -> Modules: ...


@dataclass(frozen=True)
class Export:
    """What is exported, and how it is written down."""

    title: str
    """Of the note in the feed: `Product export`."""
    plural: str
    entity: str
    rows: Callable[[WithModules, list[Row]], Awaitable[Sequence[Row]]]
    """The rows of a sheet for a page of things."""
    columns: Sequence[str]
    """Those that a sheet without rows has, too."""
    fields: Sequence[str]
    """What an export of everything asks for."""
    order: Callable[[str], Any] | None = None
    """Sorts columns."""
    filters: Row = field(default_factory=dict)
    """What is exported at all."""


EXPORTS: dict[str, Export] = {}
"""By the names of their workflows."""


async def _drop(flow: Flow, file: Row) -> None:
    await flow.modules.file.delete_files([file["id"]])


@step(undo=_drop, timeout=EXPORT_SECONDS, retry=Retry(interval=5.0, times=5))
async def write_export(flow: Flow, workflow: str, name: str, fields: list[str], filters: Row) -> Row:
    """Write the file, under a `name` that is the same in each attempt. Returns `{id, filename}`.

    Pages follow the ids: what is created or deleted meanwhile neither repeats nor hides anything else.
    """
    export, sheet, last = EXPORTS[workflow], Sheet(EXPORTS[workflow].columns, EXPORTS[workflow].order), ""
    files = Files.of(flow.settings)
    try:
        while True:
            conditions = {"$and": [filters, export.filters, {"id": {"$gt": last}}]}
            page = await flow.graph.rows(Query(export.entity, tuple(dict.fromkeys(("id", *fields))), conditions, ("id",), PAGE))
            if not page:
                break
            last = page[-1]["id"]
            sheet.add(await export.rows(flow, page))
        stored = await files.store(f"{name}.csv", CSV, sheet.pieces(), "private", name=f"{name}.csv")
    finally:
        sheet.close()
        await files.provider.close()
    await flow.modules.file.record([stored])
    return {"id": stored["id"], "filename": stored["filename"]}


async def carry_out(flow: Flow, workflow: str, fields: list[str], filters: Row) -> None:
    """The whole of an export: the file, and a note that it is there, or that it failed."""
    export = EXPORTS[workflow]
    name = f"{export.plural.replace(' ', '-')}-{new_id('export').lower().replace('_', '-')}"
    try:
        file = await flow.run(write_export, workflow, name, fields, filters)
    except VelellaError:
        await flow.run(tell, export.title, f"Failed to export {export.plural}, please try again later.")
        raise
    await flow.run(tell, export.title, f"{export.title} completed successfully!", file)
