"""What the engine hands to a module's service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

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
    """Called after a commit, or what may have been one, with what changed, entities (`product`) and single rows (`product:prod_1`):
    caches forget them before the reply leaves. Must not raise, and must go on when the caller is cancelled: the write is done by then."""
    memory: Memory | None = None
    """What `remembered` methods keep their answers in. None: they are asked anew each time."""
    documents: Callable[[], Mapping[str, int]] = dict
    """Entity → number of the newest schema of its documents that all processes know (see `Documents`)."""
    visits: bool = False
    """This process is no part of the shop, but a command of its operator's: it may have other settings, so it registers nothing."""


class Memory(Protocol):
    """A cache of this process that hears of every change (see `actors.caching.Cache`)."""

    def get(self, key: Hashable) -> Any: ...

    async def get_or_fill(self, key: Hashable, tags: frozenset[str], fill: Callable[[], Awaitable[bytes]]) -> bytes: ...
