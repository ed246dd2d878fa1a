"""Files in a bucket, of moto's server."""

from __future__ import annotations

import random
from typing import Any

import aiohttp
import pytest

from velella.core.errors import Misconfigured, NotFound
from velella.core.service.providers import Providers
from velella.core.settings import ProviderSettings, Settings
from velella.modules.file.files import KINDS, Files
from velella.modules.file.provider import FileKey
from velella.modules.file.service import FileService

from ..parties import pieces
from .conftest import Opened
from .one_module import alone


@pytest.fixture
async def options(parties: Opened) -> dict[str, Any]:
    return {**(await parties("s3")).configured.options, "timeout": 20.0}


@pytest.fixture
def files(options: dict[str, Any]) -> Files:
    providers = Providers("file", KINDS, [ProviderSettings(use="s3", options=options)])
    return Files.of(Settings(), providers)


async def content_of(files: Files, key: FileKey, start: int = 0) -> bytes:
    return b"".join([chunk async for chunk in files.provider.read(key, start)])


@pytest.mark.parametrize("size", [0, 10, 5 * 1024 * 1024, 13_000_000])
async def test_a_file_is_kept_piece_by_piece(files: Files, size: int) -> None:
    content = random.Random(size).randbytes(size)
    row = await files.store("Sail.PNG", "image/png", pieces(content))
    assert (row["size"], row["mime_type"], row["access"]) == (size, "image/png", "public")
    assert row["url"] == f"https://files.example/media/{row['id']}"
    key = FileKey(row["id"])
    assert await content_of(files, key) == content
    if size:
        assert await content_of(files, key, size // 3) == content[size // 3 :]
    for _ in range(2):
        await files.provider.delete(key)
    with pytest.raises(NotFound):
        await content_of(files, key)


async def test_a_browser_sees_the_type_and_may_keep_the_file(files: Files) -> None:
    row = await files.store("x.svg", "image/svg+xml", pieces(b"<svg/>"))
    async with aiohttp.ClientSession() as session, session.get(await files.provider.download_url(FileKey(row["id"]))) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/svg+xml", b"<svg/>")
        assert "immutable" in answer.headers["Cache-Control"]


async def test_a_browser_uploads_by_itself(fresh_database: str, options: dict[str, Any]) -> None:
    providers = Providers("file", KINDS, [ProviderSettings(use="s3", options=options)])
    async with alone(FileService, fresh_database, providers=providers) as service:
        made = await service.upload_url("products.csv", "text/csv", 3, access="private", created_by="user_1")
        assert "/media/private/products-" in made["url"]
        async with aiohttp.ClientSession() as session:
            async with session.put(made["url"], data=b"a,b", headers={"Content-Type": "text/csv"}) as answer:
                assert answer.status == 200
            found = await service.retrieve_file(made["id"])
            assert (found["access"], found["size"], found["created_by"]) == ("private", 3, "user_1")
            async with session.get(found["url"]) as answer:
                assert await answer.read() == b"a,b"
        assert await service.content(made["id"]) == b"a,b"
        assert [row["id"] for row in await service.delete_files([made["id"]])] == [made["id"]]
        with pytest.raises(NotFound):
            await service.retrieve_file(made["id"])


def test_there_is_exactly_one_provider() -> None:
    for configured in ([], [ProviderSettings(use="local"), ProviderSettings(use="local", id="b")]):
        with pytest.raises(Misconfigured):
            Files.of(Settings(), Providers("file", KINDS, configured))
