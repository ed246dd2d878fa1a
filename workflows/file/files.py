"""Storing and deleting files."""

from __future__ import annotations

from ...core.rows import Row
from ..kit import Flow, step, workflow


async def _delete(flow: Flow, made: list[Row]) -> None:
    await flow.modules.file.delete_files([row["id"] for row in made])


@step(undo=_delete)
async def keep_files(flow: Flow, files: list[Row], created_by: str | None) -> list[Row]:
    return await flow.modules.file.create_files(files, created_by=created_by)


@workflow("upload-files")
async def upload_files(flow: Flow, files: list[Row], created_by: str | None = None) -> list[Row]:
    """Store files: `filename`, `content` (bytes), `mime_type`, `access` (public or private). All or none. Raises InvalidData."""
    return await flow.run(keep_files, files, created_by)


@step
async def remove_files(flow: Flow, ids: list[str]) -> list[str]:
    return [row["id"] for row in await flow.modules.file.delete_files(ids)]


@workflow("delete-files")
async def delete_files(flow: Flow, ids: list[str]) -> list[str]:
    """Delete files for good. Returns the ids of those that existed."""
    return await flow.run(remove_files, ids)
