"""Admin: files that merchants upload."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from aiohttp import BodyPartReader, MultipartReader
from aiohttp.http_exceptions import HttpProcessingError

from ...core.errors import InvalidData, VelellaError
from ...core.json import dumps
from ...core.settings import Settings
from ...modules.file.names import is_csv
from ...workflows.file.files import delete_files
from ..kit.bodies import ABSENT, Body, Number
from ..kit.receiving import arriving, drop_rest, refuse_codings, too_large
from ..kit.reply import Answer, Refused, deleted
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View

routes = Routes()

FILE = View("file", "id url")

FILES = 50
"""Files in one request."""
PIECE = 64 * 1024
"""Bytes read at once."""
ENVELOPE = 1024 * 1024
"""Bytes of a request besides its files: headers of parts, other fields."""


@routes.post("/admin/uploads", returns=FILE, streams=True)
async def upload(request: Request) -> Answer:
    """Upload files: `multipart/form-data`, each as `files`."""
    async with receiving(request), request.files.batch(request.modules.file.record) as batch:
        async for part in parts(request, "files"):
            if len(batch.rows) == FILES:
                raise InvalidData(f"No more than {FILES} files can be uploaded at once")
            chunks = within(part, limit_of(part.filename or "", request.settings))
            await batch.store(part.filename or "", part.headers.get("Content-Type"), chunks, created_by=request.actor_id)
        if not batch.rows:
            raise InvalidData("No files were uploaded")
    rows = batch.rows
    page = await request.rows(FILE, {"id": [row["id"] for row in rows]})
    shown = {row["id"]: row for row in page.rows}
    return dumps({"files": [shown[row["id"]] for row in rows]})


def limit_of(filename: str, settings: Settings) -> int:
    """Bytes that a file may have."""
    return settings.import_limit if is_csv(filename) else settings.upload_limit


@asynccontextmanager
async def receiving(request: Request) -> AsyncIterator[None]:
    """While the files of a request are read. What is refused is answered once the rest has come, so that whoever sends it learns why."""
    with arriving(request.http, request.settings):
        try:
            yield
        except (VelellaError, Refused):
            await drop_rest(request.http, most_of(request.settings))
            raise


def most_of(settings: Settings) -> int:
    """Bytes that a request with files may have."""
    return FILES * settings.upload_limit + ENVELOPE


async def parts(request: Request, field: str) -> AsyncIterator[BodyPartReader]:
    """The parts of the request that are files, each of which is sent as `field`."""
    if request.http.content_type != "multipart/form-data":
        raise InvalidData("Files are uploaded as multipart/form-data")
    refuse_codings(request.http)
    if (request.http.content_length or 0) > most_of(request.settings):
        raise too_large()
    try:
        reader = await request.http.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, MultipartReader) or part.filename is None:
                raise InvalidData(f"{getattr(part, 'name', None) or 'A part'} is not a file")
            if part.name not in (field, f"{field}[]"):
                raise InvalidData(f"Files are uploaded as {field}, not as {part.name}")
            yield part
    except (ValueError, AssertionError, HttpProcessingError) as error:  # aiohttp's errors for malformed parts
        raise InvalidData("The body is not valid multipart/form-data") from error


async def within(part: BodyPartReader, limit: int) -> AsyncIterator[bytes]:
    """The contents of a part. Raises Refused: 413 beyond the limit."""
    size = 0
    while chunk := await part.read_chunk(PIECE):
        size += len(chunk)
        if size > limit:
            raise too_large()
        yield bytes(chunk)


class PresignUpload(Body):
    originalname: str
    mime_type: str
    size: Number
    access: Literal["public", "private"] = ABSENT


@routes.post("/admin/uploads/presigned-urls", body=PresignUpload, query=None)
async def presign(request: Request) -> Answer:
    """Get a URL to which the browser may upload a file directly."""
    body = request.body
    limit = limit_of(body["originalname"], request.settings)
    if not 0 <= body["size"] <= limit:
        raise InvalidData(f"Files may have {limit} bytes, not {body['size']:f}")
    made = await request.modules.file.upload_url(
        body["originalname"], body["mime_type"], int(body["size"]), access=body.get("access", "public"), created_by=request.actor_id
    )
    body.pop("access", None)
    return dumps({**body, "url": made["url"], "filename": made["name"], "extension": made["name"].rpartition(".")[2]})


@routes.get("/admin/uploads/{id}", returns=FILE)
async def get(request: Request) -> Answer:
    """Get a file's URL; that of a private file works for a while."""
    id = request.params["id"]
    known = await request.modules.file.retrieve_file(id)
    page = await request.rows(FILE, {"id": id})
    [shown] = page.rows
    return dumps({"file": {name: known["url"] if name == "url" else value for name, value in shown.items()}})


@routes.delete("/admin/uploads/{id}", query=None)
async def delete(request: Request) -> Answer:
    """Delete a file for good."""
    await request.run(delete_files, ids=[request.params["id"]])
    return deleted(request.params["id"], "file")
