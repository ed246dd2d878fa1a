"""The contract of a cache that all processes of a shop share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from .infrastructure import InfrastructureProvider


class SharedCache(InfrastructureProvider):
    """A second tier behind the caches of processes (`providers.cache`): bytes by key, which may be lost or evicted at any time.

    Nothing more is needed of it: what makes an answer stale is worked out before (`actors/caching/shared.py`). But what was set replaces
    what was there before: one that gives an old value again (a replica that lags behind) has no place here. Keys are printable ASCII
    without blanks, up to 200 characters. Every method may be repeated, and raises Unavailable, within a fraction of a second, where the
    other side doesn't answer.
    """

    @abstractmethod
    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """The values of those keys that there are; asks once for all of them."""

    @abstractmethod
    async def set(self, values: Mapping[str, bytes], seconds: float | None) -> None:
        """Keep values for so many seconds (None: as long as there is room). Each is 512 KiB at most."""
