"""The file module's messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, ClassVar

from ...core.message import repeatable, writes
from ...core.rows import Row, Rows
from ...core.service.context import ModuleContext
from ...core.service.module import ModuleService
from .files import Files
from .names import checked_type, new_name
from .provider import Access, FileKey
from .tables import SCHEMA


class FileService(ModuleService):
    """The shop's files. Their ids are the names under which the provider stores them."""

    name: ClassVar[str] = "file"
    schema = SCHEMA

    def __init__(self, context: ModuleContext) -> None:
        super().__init__(context)
        self._files = Files.of(context.settings, context.providers)

    async def stop(self) -> None:
        await self._files.provider.close()
        await super().stop()

    @writes
    async def record(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Record files that a provider has stored already."""
        return await self.create("file", rows)

    async def create_files(self, files: Sequence[Mapping[str, Any]], *, created_by: str | None = None) -> Rows:
        """Store files that are in memory: `filename`, `content` (bytes), `mime_type`, `access`. For large files see `Files.store`.

        All or none. Raises InvalidData for a type that isn't allowed.
        """
        async with self._files.batch(self.record) as batch:
            for each in files:
                content = _at_once(each["content"])
                await batch.store(each["filename"], each.get("mime_type"), content, each.get("access", "public"), created_by=created_by)
        return batch.rows

    @repeatable
    async def retrieve_file(self, id: str) -> Row:
        """A file with a `url` that works now; that of a private one works for a while. Raises NotFound."""
        row = await self.retrieve("file", id)
        if row["access"] == "private":
            row["url"] = await self._files.provider.download_url(FileKey(id, "private"))
        return row

    @repeatable
    async def content(self, id: str) -> bytes:
        """The whole contents of a file: for small ones. Raises NotFound."""
        row = await self.retrieve("file", id, fields=("access",))
        return b"".join([chunk async for chunk in self._files.provider.read(FileKey(id, row["access"]))])

    @repeatable
    async def delete_files(self, ids: Sequence[str]) -> Rows:
        """Delete files. Returns the ones that existed. What the provider can't delete now stays recorded, to be deleted again."""
        rows = await self.list("file", {"id": list(ids)})
        for row in rows:
            await self._files.provider.delete(FileKey(row["id"], row["access"]))
        await self.delete("file", [row["id"] for row in rows])
        return rows

    async def upload_url(
        self, filename: str, mime_type: str, size: int | None, *, access: Access = "public", created_by: str | None = None
    ) -> Row:
        """A URL to which a browser may PUT a file directly: `{id, url}`. The id is None where it has to go through `POST /admin/uploads`.

        Raises InvalidData for a type that isn't allowed.
        """
        checked = checked_type(filename, mime_type, self.context.settings.upload_types)
        key = FileKey(new_name(filename, checked), access)
        url = await self._files.provider.upload_url(key, checked)
        if url is None:
            return {"id": None, "name": key.name, "url": "/admin/uploads"}
        await self.record([{**self._files.row(key, filename, checked, size), "created_by": created_by}])
        return {"id": key.name, "name": key.name, "url": url}


async def _at_once(content: bytes) -> AsyncIterator[bytes]:
    yield content
