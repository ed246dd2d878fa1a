"""The engine's own tables: executions of durable workflows, the coordinators that carry them out, events, and the source of tokens."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, cast, func, null, text

from ...core.sql.schema.columns import Json, Timestamp, identity, module_metadata
from ...core.sql.schema.entity import Entity
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

LIVE_STATES = ("invoking", "finishing", "compensating")
LIVE = "state IN ('invoking', 'finishing', 'compensating')"
"""A coordinator carries it out, or has to. `finishing`: beyond its point of no return, or possibly so."""
STANDING = "state IN ('invoking', 'finishing', 'compensating', 'done')"
"""No other execution with the same key may begin."""
UNSUCCESSFUL = "key IS NOT NULL AND state NOT IN ('invoking', 'finishing', 'compensating', 'done')"
"""Ended without success: its key is free again. (Each condition is written as the index has it, so that the index is used.)"""

workflow_execution = Table(
    "workflow_execution",
    metadata,
    identity(),
    Column("workflow", Text, nullable=False),
    Column("key", Text),
    Column("state", Text, nullable=False),
    Column("input", LargeBinary, nullable=False),
    Column("journal", ARRAY(LargeBinary), nullable=False, server_default=text("'{}'")),  # appended to; emptied when it is over
    Column("undo", LargeBinary),  # compensating: what is to be undone; failed: what could not be
    Column("result", LargeBinary),  # finishing: what it has answered
    Column("error", Json),
    Column("steps", ARRAY(Text)),  # what was done, for people; filled when it is over
    # The coordinator that carries it out. Every takeover raises the fence, and every write must name owner and fence: a coordinator that
    # was taken for dead and comes back can't change anything.
    Column("owner", Text),
    Column("fence", BigInteger, nullable=False, server_default=text("1")),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    # Waiting in the table: until when, for what, and how often in a row and since when it has failed there. A row without an owner was put
    # back by its coordinator, so its journal is complete.
    Column("resume_at", Timestamp),
    Column("waits_at", Text),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("failing_since", Timestamp),
    Column("locked_since", Timestamp),  # since when it waits for a lock, beside the above; null: it doesn't
    # Position → a step that waits for the outside: its name, until when, and what was said. Written by whoever answers, beside the owner.
    Column("waits", Json),
    Column("given_up", Json),  # failed: which operator has ended it, and why
    Column("trace_id", Text, nullable=False),
    Column("started_at", Timestamp, nullable=False),
    Column("finished_at", Timestamp),
    Column("expires_at", Timestamp),
)
# One start with a key wins while it runs and after it has succeeded; one that failed or was undone doesn't block another.
Index(
    "uq_workflow_execution_key",
    workflow_execution.c.workflow,
    workflow_execution.c.key,
    unique=True,
    postgresql_where=text(f"key IS NOT NULL AND {STANDING}"),
)
Index("ix_workflow_execution_unsuccessful", workflow_execution.c.workflow, workflow_execution.c.key, postgresql_where=text(UNSUCCESSFUL))
Index("ix_workflow_execution_live", workflow_execution.c.owner, postgresql_where=text(LIVE))
Index("ix_workflow_execution_expires", workflow_execution.c.expires_at, postgresql_where=text("expires_at IS NOT NULL"))
Index("ix_workflow_execution_started", workflow_execution.c.started_at)
Index("ix_workflow_execution_failed", workflow_execution.c.started_at, postgresql_where=text("state = 'failed'"))

workflow_coordinator = Table(
    "workflow_coordinator",
    metadata,
    identity(),
    Column("replica", Text, nullable=False),
    Column("lease_until", Timestamp, nullable=False),
    Column("machine", Text),  # with `process`: where its death can be seen
    Column("process", Text),
)

event_outbox = Table(
    "event_outbox",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("execution_id", Text),
    Column("created_at", Timestamp, nullable=False, server_default=func.now()),
)
Index("ix_event_outbox_created", event_outbox.c.created_at)

# Which subscribers the shop has, recorded by its coordinators. A process that only emits needn't know any of them.
event_subscription = Table(
    "event_subscription",
    metadata,
    Column("event", Text, primary_key=True),  # a name, or * for all
    Column("subscriber", Text, primary_key=True),
    Column("seen_at", Timestamp, nullable=False, server_default=func.now()),
)

# An event on its way to one subscriber; deleted when it is delivered.
event_delivery = Table(
    "event_delivery",
    metadata,
    Column("event_id", Text, ForeignKey("event_outbox.id", ondelete="CASCADE"), primary_key=True),
    Column("subscriber", Text, primary_key=True),
    Column("due_at", Timestamp),  # null: it has failed too often
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
)
Index("ix_event_delivery_due", event_delivery.c.subscriber, event_delivery.c.due_at, postgresql_where=text("due_at IS NOT NULL"))

# Workflows that begin by the clock, recorded by the coordinators that have them.
workflow_job = Table(
    "workflow_job",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cron", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("missed", Text, nullable=False),
    Column("last_tick", Timestamp, nullable=False),  # the last one that was begun, or left out; at first when the job was first seen
    Column("seen_at", Timestamp, nullable=False),
)

EXECUTION = Entity(
    "workflow_execution",
    workflow_execution,
    prefix="wfex",
    label="Workflow execution",
    searchable=("workflow", "key"),
    computed={
        "workflow_id": lambda row: row.c.workflow,
        "transaction_id": lambda row: func.coalesce(row.c.key, row.c.id, type_=Text),
        "created_at": lambda row: row.c.started_at,
        "updated_at": lambda row: func.coalesce(row.c.finished_at, row.c.started_at, type_=Timestamp),
        "deleted_at": lambda row: cast(null(), Timestamp),
        # packed columns of the rows: the coordinator fills these in (see `admin_view.py`)
        "execution": lambda row: cast(null(), Json),
        "context": lambda row: cast(null(), Json),
    },
    hidden=frozenset(column.name for column in workflow_execution.c if column.name not in ("id", "state")),
    default_order=("-created_at",),
)
"""Executions as the API shows them. An execution without a key is found by its id."""

SCHEMA = Schema("engine", EXECUTION)
