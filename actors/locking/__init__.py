"""The locking pool: which flow may change something now.

What is promised:

- A key is granted to one owner at a time, first come first served, without polling.
- An owner is one acquisition, and its grant has a lease. Only the owner releases or renews it. The lease of an owner that died ends
  by itself.
- A killed shard has lost its grants. Owners claim theirs again when they renew, and the first claim is accepted; in the moment
  before, another owner may be granted the same key. The same may happen when an owner is cut off for longer than its lease, and when its
  shard can't be reached for two seconds: other shards then grant its keys. Locks save work that would be refused; the guards in the
  database decide what is *right*.

Providers behind the same promise (`providers.locking` in the settings): `actor` (this pool, the default), `postgres` (advisory locks of
the database) and `redis`, which each process does without while it can't be reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.infrastructure import Infrastructure
from .client import ActorLocks
from .leases import LockProvider
from .service import LockingService, create
from .table import LockTable

if TYPE_CHECKING:
    from ..context import HostContext

LOCKS = Infrastructure(
    "locking",
    LockProvider,
    {"actor": "client:ActorLocks", "postgres": "advisory:AdvisoryLocks", "redis": "redis:RedisLocks"},
    __name__,
)


def locks(context: HostContext) -> LockProvider[Any]:
    """The provider that the settings name, not yet started."""
    made: LockProvider[Any] = LOCKS.set_up(context.settings, context)
    return made


__all__ = ["LOCKS", "ActorLocks", "LockProvider", "LockTable", "LockingService", "create", "locks"]
