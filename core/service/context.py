"""What the engine hands to a module's service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..settings import Settings
from ..sql.db.database import Database
from .providers import Providers


@dataclass(frozen=True, slots=True)
class ModuleContext:
    """What the engine hands to a module's service."""

    settings: Settings
    database: Database
    providers: Providers
    """This module's providers by id, from the settings."""
    changed: Callable[[frozenset[str]], Awaitable[None]]
    """Called after a commit, or a possible commit, with the tags that changed, entities (`product`) and single rows (`product:prod_1`):
    caches drop them before the reply is sent. Must not raise, and must finish if the caller is cancelled: the write is done by then."""
    memory: Memory | None = None
    """The cache of `remembered` methods. None: they are carried out every time."""
    documents: Callable[[], Mapping[str, int]] = dict
    """Entity → number of the newest schema of its documents that all processes know (see `Documents`)."""
    visits: bool = False
    """This process isn't part of the shop, but a command of its operator: it may have other settings, so it registers nothing."""


class Memory(Protocol):
    """A cache of this process that is invalidated by every change (see `actors.caching.Cache`)."""

    async def get_or_fill(self, key: Hashable, tags: frozenset[str], fill: Callable[[], Awaitable[bytes]]) -> bytes: ...
