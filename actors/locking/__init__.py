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
the database) and `redis`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...core.errors import Misconfigured
from ...core.settings import Settings
from .client import ActorLocks
from .leases import LockProvider
from .service import LockingService, create
from .table import LockTable

if TYPE_CHECKING:
    from ..context import HostContext

SHIPPED = {"actor": "client:ActorLocks", "postgres": "advisory:AdvisoryLocks", "redis": "redis:RedisLocks"}


def locks(context: HostContext) -> LockProvider[Any]:
    """The provider that the settings name, not yet started."""
    cls, options = locks_class(context.settings)
    try:
        made: LockProvider[Any] = cls(context, **options)
    except TypeError as error:
        raise Misconfigured(f"The locking provider {cls.__name__} could not be set up: {error}.", hint="See providers.locking.") from error
    return made


def locks_class(settings: Settings) -> tuple[Any, Mapping[str, Any]]:
    """The class of the provider that the settings name, and its options."""
    configured = settings.providers.get("locking", ())
    if len(configured) > 1:
        raise Misconfigured("Locks come from one provider only.", hint="Leave one entry in providers.locking.")
    use, options = (configured[0].use, configured[0].options) if configured else ("actor", {})
    path, _, name = SHIPPED.get(use, use).partition(":")
    if not name:
        raise Misconfigured(
            f"There are no locks by `{use}`.", hint=f"Use one of {', '.join(SHIPPED)}, or an import path `package.module:Class`."
        )
    try:
        cls = getattr(importlib.import_module(f".{path}" if use in SHIPPED else path, __name__), name)
    except (ImportError, AttributeError) as error:
        raise Misconfigured(f"The locking provider `{use}` can't be imported: {error}.", hint="See providers.locking.") from error
    return cls, options


__all__ = ["ActorLocks", "LockProvider", "LockTable", "LockingService", "create", "locks"]
