"""Files in a bucket of S3, or of another service with its protocol (R2, MinIO, …).

    [[providers.file]]
    use = "s3"
    options = { bucket = "shop", region = "eu-central-1", file_url = "https://files.shop.example" }

The bucket's policy decides who may read: everything under `<prefix>` except `<prefix>private/` must be publicly readable at `file_url`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from ....core.errors import Misconfigured, NotFound, Unavailable, UnexpectedState
from ....core.ids import ulid
from ....core.service.outside import CONNECT_SECONDS, MOST_SHOWN, Missed, OutsideParty, Went
from ..names import NAME
from ..provider import FileKey, FileProvider

PIECE = 5 * 1024 * 1024
"""Bytes of a part of a large file: the least that S3 accepts. An upload has twice this in memory."""


WHOLE = timedelta(hours=1)
"""For one request with all of its content: files may be large, and their readers slow."""


class S3Files(FileProvider):
    def __init__(
        self,
        bucket: str,
        file_url: str,
        *,
        region: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
        endpoint: str | None = None,
        prefix: str = "",
        cache_control: str = "public, max-age=31536000, immutable",
        download_file_duration: int = 3600,
        timeout: float = 20.0,
        retries: int = 2,
    ) -> None:
        """Without keys, those of the environment or of the machine's role are used. `download_file_duration`: seconds that signed
        URLs work. `timeout`: seconds in which something has to come back; `retries`: attempts after one that failed, of each part of a
        file."""
        try:
            import obstore
            from obstore.store import S3Store
        except ImportError as error:
            raise Misconfigured("The file provider s3 needs obstore.", hint="Install it with: pip install 'velella[s3]'") from error
        given = {
            "region": region,
            "access_key_id": access_key_id,
            "secret_access_key": secret_access_key,
            "token": session_token,
            "endpoint": endpoint,
        }
        config: Any = {name: value for name, value in given.items() if value is not None}
        self.outside: OutsideParty = OutsideParty("The bucket", timeout=timeout, retries=retries)
        client: Any = {
            "allow_http": (endpoint or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=min(timeout, CONNECT_SECONDS)),
            "read_timeout": timedelta(seconds=timeout),
            "timeout": WHOLE,
        }
        again: Any = {
            "max_retries": retries,
            "backoff": {"init_backoff": timedelta(milliseconds=250), "max_backoff": timedelta(seconds=timeout)},
            "retry_timeout": timedelta(seconds=timeout),
        }
        self._obstore: Any = obstore
        self._errors: Any = obstore.exceptions
        self._store: Any = S3Store(bucket, config=config, client_options=client, retry_config=again)
        self._file_url = file_url.rstrip("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._cache_control = cache_control
        self._seconds = timedelta(seconds=download_file_duration)

    async def store(self, key: FileKey, chunks: AsyncIterator[bytes], mime_type: str) -> None:
        kept = self._cache_control if key.access == "public" else "private, no-store"
        about = {"Content-Type": mime_type, "Cache-Control": kept}
        pieces = _pieces(chunks)
        with self._asking():
            await self._obstore.put_async(self._store, self._path(key), pieces, attributes=about, chunk_size=PIECE, max_concurrency=1)

    async def check(self) -> str:
        path = f"{self._prefix}private/{ulid().lower()}.check"
        with self._asking():
            await self._obstore.put_async(self._store, path, b"velella doctor")
            await self._obstore.delete_async(self._store, path)
        return "the bucket takes files, and lets go of them"

    async def delete(self, key: FileKey) -> None:
        try:
            with self._asking():
                await self._obstore.delete_async(self._store, self._path(key))
        except FileNotFoundError:
            return

    async def read(self, key: FileKey, start: int = 0) -> AsyncGenerator[bytes]:
        about: Any = {"range": {"offset": start}} if start else {}
        try:
            with self._asking():
                found = await self._obstore.get_async(self._store, self._path(key), options=about)
        except FileNotFoundError:
            raise NotFound(f"File with id: {key.name} was not found") from None
        try:
            async for chunk in found.stream():
                yield bytes(chunk)
        except self._errors.BaseError as error:
            raise self._away(error) from error

    def url(self, key: FileKey) -> str:
        return f"{self._file_url}/{self._path(key)}"

    async def download_url(self, key: FileKey) -> str:
        return str(await self._obstore.sign_async(self._store, "GET", self._path(key), self._seconds))

    async def upload_url(self, key: FileKey, mime_type: str) -> str | None:
        return str(await self._obstore.sign_async(self._store, "PUT", self._path(key), self._seconds))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """What is asked of the bucket in the block: its errors are ours. Raises FileNotFoundError where there is no such file."""
        try:
            with self._attempt():
                yield
        except Missed as missed:
            raise missed.error from missed

    @contextmanager
    def _attempt(self) -> Iterator[None]:
        with self.outside.attempt() as attempt:
            try:
                yield
            except FileNotFoundError:
                attempt.went = "refused"
                raise
            except (self._errors.PermissionDeniedError, self._errors.UnauthenticatedError) as error:
                attempt.went = "refused"
                raise UnexpectedState("The bucket doesn't let this shop in", hint=_shown(error)) from error
            except self._errors.BaseError as error:
                attempt.went = _went(str(error))
                raise self._away(error) from error
            except BaseException:  # who sends a file has gone
                attempt.went = "cancelled"
                raise

    @staticmethod
    def _away(error: Exception) -> Unavailable:
        return Unavailable("The bucket doesn't answer", hint=_shown(error), retry_after=5.0)

    def _path(self, key: FileKey) -> str:
        if not NAME.fullmatch(key.name):
            raise NotFound(f"File with id: {key.name} was not found")
        return f"{self._prefix}{'private/' if key.access == 'private' else ''}{key.name}"


async def _pieces(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Fewer and larger pieces: each goes to another thread."""
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        if len(waiting) >= 256 * 1024:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _went(said: str) -> Went:
    """The library says it in its text alone."""
    return "timeout" if "kind: Timeout" in said else "unreachable" if "kind: Connect" in said else "failed"


def _shown(error: Exception) -> str:
    return str(error).partition("\n\nDebug source")[0][:MOST_SHOWN]
