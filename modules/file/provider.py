"""What a file provider has to be able to do.

A provider is a class named in the settings (`providers.file`, exactly one); its options are its constructor's arguments. Every process
that takes or serves files has an instance. Names are made by us (`names.py`): unguessable, never used twice, without anything that could
mean another place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...core.settings import Settings

Access = Literal["public", "private"]


@dataclass(frozen=True, slots=True)
class Place:
    """Which file is meant."""

    name: str
    access: Access = "public"


class FileProvider(ABC):
    """Base of all file providers."""

    def bind(self, settings: Settings) -> None:  # noqa: B027 - most need nothing of them
        """Learn how the shop is set up. Called once, before anything else."""

    @abstractmethod
    async def store(self, place: Place, chunks: AsyncIterator[bytes], mime_type: str) -> None:
        """Keep what comes, piece by piece. When `chunks` or the keeping fails, nothing stays behind."""

    @abstractmethod
    async def delete(self, place: Place) -> None:
        """Forget a file. One that isn't there is forgotten already."""

    @abstractmethod
    def read(self, place: Place) -> AsyncIterator[bytes]:
        """What is in a file, piece by piece. Raises NotFound."""

    @abstractmethod
    def url(self, place: Place) -> str:
        """Where anybody finds a public file, for good."""

    @abstractmethod
    async def download_url(self, place: Place) -> str:
        """Where whoever is told finds a private file, for a while."""

    async def upload_url(self, place: Place, mime_type: str) -> str | None:
        """Where a browser may PUT the file by itself, for a while. None: it has to go through `POST /admin/uploads`."""
        return None

    def served(self, path: str, query: Mapping[str, str]) -> Path | None:
        """The file on this machine that `/static/<path>` means. None: there is none, or it isn't to be shown."""
        return None

    async def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Let go of connections. Called once, when the process ends."""
