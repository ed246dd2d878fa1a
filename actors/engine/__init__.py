"""The engine behind the coordinators: durable executions, their recovery, and the outbox of events.

To migrations and queries the engine is a module like the others; the coordinators answer the messages of its one entity.
"""

from __future__ import annotations

from ...core.service.module import Module, ModuleService
from .tables import SCHEMA

MODULE = Module(name="engine", schema=SCHEMA, service=ModuleService, package="velella.actors.engine")
