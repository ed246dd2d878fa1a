"""The interface of file providers.

A provider is a class named in the settings (`providers.file`, exactly one); its options are its constructor's arguments. Every process
that receives or serves files has an instance. Names are made by us (`names.py`): unguessable, never reused, without anything that could
lead to another folder.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...core.service.providers import Provider
from ...core.settings import Settings

Access = Literal["public", "private"]


@dataclass(frozen=True, slots=True)
class FileKey:
    """Identifies a file."""

    name: str
    access: Access = "public"


class FileProvider(Provider, ABC):
    """Base of all file providers."""

    def bind(self, settings: Settings) -> None:
        """Get the shop's settings. Called once, before anything else."""

    @abstractmethod
    async def store(self, key: FileKey, chunks: AsyncIterator[bytes], mime_type: str) -> None:
        """Store the pieces as a file. If `chunks` or the storing fails, nothing stays behind."""

    @abstractmethod
    async def delete(self, key: FileKey) -> None:
        """Delete a file. A missing one is no error."""

    @abstractmethod
    def read(self, key: FileKey, start: int = 0) -> AsyncGenerator[bytes]:
        """The contents of a file, piece by piece, without its first `start` bytes. Raises NotFound."""

    @abstractmethod
    def url(self, key: FileKey) -> str:
        """The permanent URL of a public file."""

    @abstractmethod
    async def download_url(self, key: FileKey) -> str:
        """A URL of a private file that works for a while, for anyone who has it."""

    async def upload_url(self, key: FileKey, mime_type: str) -> str | None:
        """A URL to which a browser may PUT the file directly, for a while. None: it has to go through `POST /admin/uploads`."""
        return None

    def served(self, path: str, query: Mapping[str, str]) -> Path | None:
        """The file on this machine that `/static/<path>` means. None: it doesn't exist, or may not be shown."""
        return None
