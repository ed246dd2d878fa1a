"""What coordinators stand on: durable executions, their recovery, and the outbox of events.

To migrations the engine is a module like the others, with tables and a history, but without entities: nobody asks it for rows.
"""

from __future__ import annotations

from ...core.module import Module, ModuleService
from ...core.sql.entity import Schema
from .tables import metadata

MODULE = Module(name="engine", schema=Schema("engine", metadata=metadata), service=ModuleService, package="velella.actors.engine")
