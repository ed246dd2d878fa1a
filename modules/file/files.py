"""The file provider of the settings, for the processes that receive and serve files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from ...core.errors import Misconfigured, VelellaError
from ...core.rows import Row
from ...core.service.providers import Providers
from ...core.settings import Settings
from .names import checked_type, new_name
from .provider import Access, FileKey, FileProvider
from .providers.local import LocalFiles
from .providers.s3 import S3Files

KINDS: dict[str, type] = {"local": LocalFiles, "s3": S3Files}


@dataclass(frozen=True, slots=True)
class Files:
    """Stores files piece by piece; the module keeps the rows about them (`record`)."""

    provider: FileProvider
    settings: Settings

    @classmethod
    def of(cls, settings: Settings, providers: Providers | None = None) -> Files:
        """Raises Misconfigured unless there is exactly one provider."""
        there = providers if providers is not None else Providers("file", KINDS, settings.providers.get("file", ()), FileProvider)
        if len(there) != 1:
            raise Misconfigured("Files are kept by exactly one provider.", hint="Name one in providers.file.")
        provider = cast("FileProvider", there.items()[0][1])
        provider.bind(settings)
        return cls(provider, settings)

    async def store(
        self, filename: str, declared: str | None, chunks: AsyncIterator[bytes], access: Access = "public", *, name: str | None = None
    ) -> Row:
        """Store the pieces as a file. Returns the row for `record`. `name`: under which it is stored, if it isn't a new one; storing
        again under a name replaces the file.

        Raises InvalidData for a type that isn't allowed, and the errors of `chunks`; then nothing is stored.
        """
        mime_type = checked_type(filename, declared, self.settings.upload_types)
        key = FileKey(name or new_name(filename, mime_type), access)
        counted = _Counted(chunks)
        await self.provider.store(key, counted.pass_on(), mime_type)
        return self.row(key, filename, mime_type, counted.size)

    @asynccontextmanager
    async def batch(self, record: Callable[[list[Row]], Awaitable[Any]]) -> AsyncIterator[StoredFiles]:
        """Several files, all or none: the files stored in the block are recorded at its end, or deleted if it fails.

        Where it is unknown whether they were recorded they stay: an unrecorded file costs a little room, a recorded file that doesn't exist
        breaks a promise.
        """
        batch = StoredFiles(self)
        try:
            yield batch
        except BaseException:
            await batch.drop()
            raise
        try:
            await record(batch.rows)
        except VelellaError as error:
            if error.status < 500:  # refused, so certainly not recorded
                await batch.drop()
            raise

    def row(self, key: FileKey, filename: str, mime_type: str, size: int | None) -> Row:
        url = self.provider.url(key) if key.access == "public" else None
        return {"id": key.name, "filename": filename, "mime_type": mime_type, "size": size, "access": key.access, "url": url}


class StoredFiles:
    """Files that are stored and not yet recorded."""

    def __init__(self, files: Files) -> None:
        self.rows: list[Row] = []
        self._files = files

    async def store(
        self,
        filename: str,
        declared: str | None,
        chunks: AsyncIterator[bytes],
        access: Access = "public",
        *,
        name: str | None = None,
        created_by: str | None = None,
    ) -> None:
        """As `Files.store`."""
        row = await self._files.store(filename, declared, chunks, access, name=name)
        self.rows.append({**row, "created_by": created_by})

    async def drop(self) -> None:
        for row in self.rows:
            await self._files.provider.delete(FileKey(row["id"], row["access"]))


class _Counted:
    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.size = 0

    async def pass_on(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            self.size += len(chunk)
            yield chunk
