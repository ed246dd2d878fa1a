"""The states of a replica: the same words in code, in the log and in `velella status`."""

from __future__ import annotations

from enum import StrEnum


class ReplicaState(StrEnum):
    """What the supervisor holds of a replica. Its own health checks report any of these but SUSPECT."""

    STARTING = "starting"
    """Its process is being made and takes no messages yet."""
    READY = "ready"
    """It takes messages."""
    HUNG = "hung"
    """Its process answers, but its event loop doesn't turn. Callers notice by themselves that their messages get no answers."""
    SUSPECT = "suspect"
    """It doesn't answer the supervisor: it may be dead, frozen, or cut off with its node."""
    RESTARTING = "restarting"
    """Its process has ended, and Ray starts another one in its place, which isn't ready yet."""
    FAILED = "failed"
    """Its process could not start its services: it is killed soon, and Ray starts another one."""
    DRAINING = "draining"
    """It takes no new messages, finishes those that it has, and ends."""


MOVING = frozenset({ReplicaState.STARTING, ReplicaState.DRAINING})
"""States of a replica that the supervisor is starting or ending: its pool is changing."""
UNREACHABLE = frozenset({ReplicaState.SUSPECT, ReplicaState.RESTARTING, ReplicaState.FAILED})
"""States in which nobody gets an answer from a replica."""
