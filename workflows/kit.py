"""What authors of workflows import.

    from ..kit import Flow, step, workflow

`core/flow/__init__.py` describes the guarantees, and the rules for durable workflows.
"""

from __future__ import annotations

from typing import TypeAlias

from ..core import flow
from ..core.errors import NotAnswered, StepFailed
from ..core.flow import (
    THREE_DAYS,
    Event,
    Kept,
    Retry,
    Step,
    Waits,
    Workflow,
    job,
    keep,
    on_hook,
    once,
    step,
    subscriber,
    take_back,
    unchanged,
    workflow,
    workflow_named,
)
from ..modules import Modules

Flow: TypeAlias = flow.Flow[Modules]
"""A flow of this shop: `flow.modules` are its modules."""

__all__ = [
    "THREE_DAYS",
    "Event",
    "Flow",
    "Kept",
    "NotAnswered",
    "Retry",
    "Step",
    "StepFailed",
    "Waits",
    "Workflow",
    "job",
    "keep",
    "on_hook",
    "once",
    "step",
    "subscriber",
    "take_back",
    "unchanged",
    "workflow",
    "workflow_named",
]
