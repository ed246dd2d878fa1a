"""Files on this machine's disk, served under /static. For shops on one machine, or with a shared folder.

[[providers.file]]
use = "local"
options = { upload_dir = "/srv/shop/static" }
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from typing import BinaryIO

from ....core.errors import NotFound
from ....core.settings import Settings
from ..names import NAME
from ..provider import Access, FileKey, FileProvider

PIECE = 256 * 1024
"""Bytes written or read at once."""


class LocalFiles(FileProvider):
    """Public files in one folder, private ones in another, which is served by signed URLs only."""

    def __init__(
        self,
        upload_dir: str | None = None,
        private_upload_dir: str | None = None,
        backend_url: str | None = None,
        download_seconds: int = 3600,
    ) -> None:
        """Folders default to `static` and `private` in the data directory, `backend_url` to the URL by which browsers reach this server."""
        self._given = (upload_dir, private_upload_dir)
        self._base = backend_url
        self._seconds = download_seconds
        self.folders: Mapping[Access, Path] = {}
        """Where files lie, once the provider is bound."""
        self._secret = b""

    def bind(self, settings: Settings) -> None:
        public, private = self._given
        self.folders = {
            "public": Path(public) if public else settings.data_dir / "static",
            "private": Path(private) if private else settings.data_dir / "private",
        }
        for folder in self.folders.values():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._base is None:
            self._base = settings.url if settings.public_url or settings.port else ""
        self._base = self._base.rstrip("/")
        self._secret = hashlib.sha256(b"files:" + settings.secret("cookie_secret").encode()).digest()

    async def store(self, key: FileKey, chunks: AsyncIterator[bytes], mime_type: str) -> None:
        target = self._path(key)
        draft = target.with_name(f".{secrets.token_hex(8)}.part")
        file = await asyncio.to_thread(draft.open, "xb")
        try:
            waiting = bytearray()
            async for chunk in chunks:
                waiting += chunk
                if len(waiting) >= PIECE:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(_finish, file, bytes(waiting), draft, target)
        finally:
            file.close()
            draft.unlink(missing_ok=True)

    async def delete(self, key: FileKey) -> None:
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def read(self, key: FileKey, start: int = 0) -> AsyncGenerator[bytes]:
        try:
            file = await asyncio.to_thread(self._path(key).open, "rb")
        except FileNotFoundError:
            raise NotFound(f"File with id: {key.name} was not found") from None
        with file:
            file.seek(start)
            while chunk := await asyncio.to_thread(file.read, PIECE):
                yield chunk

    def url(self, key: FileKey) -> str:
        return f"{self._base}/static/{self._checked(key.name)}"

    async def download_url(self, key: FileKey) -> str:
        if key.access == "public":
            return self.url(key)
        expires = int(time.time()) + self._seconds
        return f"{self._base}/static/private/{self._checked(key.name)}?expires={expires}&signature={self._sign(key.name, expires)}"

    def served(self, path: str, query: Mapping[str, str]) -> Path | None:
        name, access = path, "public"
        if path.startswith("private/"):
            name, access = path.removeprefix("private/"), "private"
            if not self._is_signed(name, query):
                return None
        if not NAME.fullmatch(name):
            return None
        found = self.folders["private" if access == "private" else "public"] / name
        return found if found.is_file() and not found.is_symlink() else None

    # -- inside
    @staticmethod
    def _checked(name: str) -> str:
        if not NAME.fullmatch(name):
            raise NotFound(f"File with id: {name} was not found")
        return name

    def _path(self, key: FileKey) -> Path:
        return self.folders[key.access] / self._checked(key.name)

    def _sign(self, name: str, expires: int) -> str:
        return hmac.new(self._secret, f"{name}:{expires}".encode(), hashlib.sha256).hexdigest()

    def _is_signed(self, name: str, query: Mapping[str, str]) -> bool:
        expires = query.get("expires", "")
        if not (expires.isascii() and expires.isdigit() and len(expires) < 20 and int(expires) >= time.time()):
            return False
        return hmac.compare_digest(query.get("signature", "").encode(), self._sign(name, int(expires)).encode())


def _finish(file: BinaryIO, rest: bytes, draft: Path, target: Path) -> None:
    """Make the file visible as a whole, or not at all, even after a power cut."""
    file.write(rest)
    file.flush()
    os.fsync(file.fileno())
    draft.rename(target)
