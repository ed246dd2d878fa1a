"""Exports: a background step that writes a CSV file, page by page, and a note in the dashboard's feed that leads to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from ..core.errors import VelellaError
from ..core.graph.graph import Graph
from ..core.ids import new_id
from ..core.rows import Row
from ..core.sheets import Sheet
from ..core.sql.schema.query import Query
from ..modules import Modules
from ..modules.file.files import Files
from ..modules.file.provider import FileKey
from .feed import tell
from .kit import Flow, Retry, step

PAGE: Final = 100
"""Things that are read at once."""
EXPORT_SECONDS: Final = 3600.0
CSV: Final = "text/csv"


class Shop(Protocol):
    """A flow, or a shop at hand."""

    @property
    def modules(self) -> Modules: ...
    @property
    def graph(self) -> Graph: ...


@dataclass(frozen=True)
class Export:
    """What is exported, and how it is written down."""

    title: str
    """Of the note in the feed: `Product export`."""
    plural: str
    entity: str
    rows: Callable[[Shop, AsyncIterator[list[Row]]], AsyncIterator[Sequence[Row]]]
    """For each page of things the rows of a sheet."""
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


async def filled(
    shop: Shop, export: Export, fields: Sequence[str], filters: Row | None = None, passed: Callable[[int], None] = lambda _: None
) -> Sheet:
    """A sheet of all that is exported, to be closed by the caller. `passed`: called with how many things a page had.

    Pages follow the ids: what is created or deleted meanwhile neither repeats nor hides anything else.
    """

    async def pages() -> AsyncIterator[list[Row]]:
        last = ""
        while True:
            conditions = {"$and": [filters or {}, export.filters, {"id": {"$gt": last}}]}
            page = await shop.graph.rows(Query(export.entity, tuple(dict.fromkeys(("id", *fields))), conditions, ("id",), PAGE))
            if not page:
                return
            last, count = page[-1]["id"], len(page)
            yield page
            passed(count)

    sheet = Sheet(export.columns, export.order)
    try:
        async for rows in export.rows(shop, pages()):
            sheet.add(rows)
    except BaseException:
        sheet.close()
        raise
    return sheet


# -- in the background


@step(retry=Retry(interval=5.0, times=5))
async def drop_export(flow: Flow, id: str) -> None:
    """Delete the file of an export, whether it was recorded or not."""
    await flow.modules.file.delete_files([id])
    files = Files.of(flow.settings)
    try:
        await files.provider.delete(FileKey(id, "private"))
    finally:
        await files.provider.close()


async def _drop(flow: Flow, file: Row) -> None:
    await flow.modules.file.delete_files([file["id"]])


@step(undo=_drop, timeout=EXPORT_SECONDS, retry=Retry(interval=5.0, times=5))
async def write_export(flow: Flow, workflow: str, name: str, fields: list[str], filters: Row) -> Row:
    """Write the file, under a `name` that is the same in each attempt. Returns `{id, filename}`."""
    files = Files.of(flow.settings)
    try:
        with closing(await filled(flow, EXPORTS[workflow], fields, filters)) as sheet:
            async with files.batch(flow.modules.file.record) as batch:
                await batch.store(name, CSV, sheet.pieces(), "private", name=name)
    finally:
        await files.provider.close()
    [stored] = batch.rows
    return {"id": stored["id"], "filename": stored["filename"]}


async def carry_out(flow: Flow, workflow: str, fields: list[str], filters: Row) -> None:
    """The whole of an export: the file, and a note that it is there, or that it failed."""
    export = EXPORTS[workflow]
    name = f"{export.plural.replace(' ', '-')}-{new_id('export').lower().replace('_', '-')}.csv"
    try:
        file = await flow.run(write_export, workflow, name, fields, filters)
    except VelellaError:
        await flow.run(tell, export.title, f"Failed to export {export.plural}, please try again later.")
        await flow.run(drop_export, name)  # where it isn't known whether it was recorded
        raise
    await flow.run(tell, export.title, f"{export.title} completed successfully!", file)
