"""Every statement of the engine.

Times are the database's: coordinators on several machines needn't agree on theirs.
"""

from __future__ import annotations

import re

from ...core.sql.compiled import Compiled
from .tables import LIVE

LEASE_SECONDS = 10.0
"""A coordinator that says nothing for so long is taken for dead."""
MAX_ATTEMPTS = 8
"""How often an execution is taken up before it is left to an operator."""
DELIVERIES = 12
"""How often an event is offered to a subscriber that fails: the last time about 70 minutes after the first."""
DELIVERED_SECONDS = 3600.0
UNDELIVERED_SECONDS = 3 * 86_400.0
"""How long events are kept: those that everybody got, and those that somebody did not."""
UNSEEN_SECONDS = 86_400.0
"""For so long the shop counts a subscriber as its own that none of its coordinators has any more: an upgrade may go back."""


def _sql(text: str) -> Compiled:
    """A statement whose parameters are written `:name`, for asyncpg."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match[1]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return Compiled(re.sub(r"(?<!:):([a-z_]+)", number, text), tuple(names))


# -- executions

BEGIN = _sql("""
    INSERT INTO workflow_execution (id, workflow, key, state, input, journal, owner, trace_id, started_at)
    VALUES (:id, :workflow, :key, 'invoking', :input, :journal::bytea[], :owner, :trace_id, :started_at)
    ON CONFLICT (workflow, key) WHERE key IS NOT NULL AND state IN ('invoking', 'compensating', 'done') DO NOTHING
    RETURNING id
""")

QUEUE = _sql("""
    INSERT INTO workflow_execution (id, workflow, key, state, input, attempts, trace_id, started_at)
    VALUES (:id, :workflow, :key, 'invoking', :input, 0, :trace_id, now())
    ON CONFLICT (workflow, key) WHERE key IS NOT NULL AND state IN ('invoking', 'compensating', 'done') DO NOTHING
    RETURNING id
""")

APPEND = _sql("""
    UPDATE workflow_execution SET journal = journal || :journal::bytea[]
    WHERE id = :id AND owner = :owner AND fence = :fence AND state IN ('invoking', 'compensating')
    RETURNING id
""")

COMPENSATE = _sql("""
    UPDATE workflow_execution SET state = 'compensating', undo = :undo, error = :error
    WHERE id = :id AND owner = :owner AND fence = :fence AND state = 'invoking'
    RETURNING id
""")

# Each event with a delivery for every subscriber that the shop has, whichever process emits it.
_EVENTS = """
    event AS (
        INSERT INTO event_outbox (id, name, data, execution_id)
        SELECT new.id, new.name, new.data, {execution}
        FROM {source} unnest(:event_ids::text[], :event_names::text[], :event_data::bytea[]) AS new(id, name, data)
        RETURNING id, name
    ), delivery AS (
        INSERT INTO event_delivery (event_id, subscriber, due_at)
        SELECT DISTINCT event.id, subscription.subscriber, now()
        FROM event JOIN event_subscription AS subscription ON subscription.event IN (event.name, '*')
    )
"""

_FINISH = """
    UPDATE workflow_execution
    SET state = 'done', result = :result, journal = '{{}}', undo = NULL, error = NULL, steps = :steps::text[], finished_at = now(),
        expires_at = now() + make_interval(secs => :retention)
    WHERE id = :id AND owner = :owner AND fence = :fence AND state = 'invoking'
    RETURNING id
"""

FINISH = _sql(_FINISH.format())

FINISH_WITH_EVENTS = _sql(
    f"WITH done AS ({_FINISH.format()}), {_EVENTS.format(execution='done.id', source='done CROSS JOIN')} SELECT id FROM done"
)

STORE_EVENTS = _sql(f"WITH {_EVENTS.format(execution=':id', source='')} SELECT count(*) FROM event")

END = _sql("""
    UPDATE workflow_execution
    SET state = :state, error = :error, undo = :undo, steps = :steps::text[], finished_at = now(),
        expires_at = CASE WHEN :state = 'reverted' THEN now() + make_interval(secs => :retention) END,
        journal = CASE WHEN :state = 'reverted' THEN '{}' ELSE journal END
    WHERE id = :id AND owner = :owner AND fence = :fence AND state IN ('invoking', 'compensating')
    RETURNING id
""")

PUT_BACK = _sql("""
    UPDATE workflow_execution
    SET owner = NULL, resume_at = now() + make_interval(secs => :pause), undo = coalesce(:undo, undo), error = coalesce(:error, error),
        attempts = attempts - :forgiven
    WHERE id = :id AND owner = :owner AND fence = :fence AND state IN ('invoking', 'compensating')
    RETURNING id
""")

BURY = _sql("""
    INSERT INTO workflow_execution (id, workflow, state, input, undo, error, trace_id, started_at, finished_at)
    VALUES (:id, :workflow, 'failed', :input, :undo, :error, :trace_id, :started_at, now())
    ON CONFLICT (id) DO UPDATE SET state = 'failed', undo = excluded.undo, error = excluded.error, finished_at = now()
""")

BACKLOG = _sql(f"""
    SELECT
        (SELECT count(*) FROM workflow_execution WHERE {LIVE} AND state = 'invoking') AS invoking,
        (SELECT count(*) FROM workflow_execution WHERE {LIVE} AND state = 'compensating') AS compensating,
        (SELECT count(*) FROM workflow_execution WHERE state = 'failed') AS failed,
        (SELECT count(*) FROM event_delivery WHERE due_at IS NOT NULL) AS events
""")

# Of executions nobody carries out: their owner is dead, or gone, or is this coordinator without knowing of it (a start or a finish whose
# answer was lost). Never what this coordinator is just carrying out, also where others took it for dead. SKIP LOCKED: coordinators that
# look at the same time share them instead of waiting for each other.
TAKE_OVER = _sql(f"""
    WITH orphans AS (
        SELECT execution.id
        FROM workflow_execution AS execution
        LEFT JOIN workflow_coordinator AS coordinator ON coordinator.id = execution.owner
        WHERE execution.state IN ('invoking', 'compensating')
          AND (execution.resume_at IS NULL OR execution.resume_at <= now())
          AND (coordinator.id IS NULL OR coordinator.lease_until < now() OR execution.owner = :owner)
          AND execution.id <> ALL (:running::text[])
        ORDER BY execution.started_at
        LIMIT :limit
        FOR UPDATE OF execution SKIP LOCKED
    )
    UPDATE workflow_execution AS execution
    SET owner = :owner, fence = fence + 1, attempts = attempts + 1, resume_at = NULL,
        state = CASE WHEN attempts >= {MAX_ATTEMPTS} THEN 'failed' ELSE state END,
        finished_at = CASE WHEN attempts >= {MAX_ATTEMPTS} THEN now() END,
        error = CASE WHEN attempts >= {MAX_ATTEMPTS} THEN coalesce(error, :gave_up) ELSE error END
    FROM orphans WHERE execution.id = orphans.id
    RETURNING execution.*
""")

ORPHANED = _sql("""
    SELECT EXISTS (
        SELECT FROM workflow_execution AS execution
        LEFT JOIN workflow_coordinator AS coordinator ON coordinator.id = execution.owner
        WHERE execution.state IN ('invoking', 'compensating')
          AND (execution.resume_at IS NULL OR execution.resume_at <= now())
          AND (coordinator.id IS NULL OR coordinator.lease_until < now() OR execution.owner = :owner)
          AND execution.id <> ALL (:running::text[])
    )
""")

OF_KEY = _sql("""
    SELECT id, state FROM workflow_execution
    WHERE workflow = :workflow AND key = :key
      AND (state IN ('invoking', 'compensating', 'done') OR finished_at > now() - make_interval(secs => :since))
    ORDER BY state IN ('invoking', 'compensating', 'done') DESC, finished_at DESC
    LIMIT 1
""")

OUTCOMES = _sql("SELECT id, state, result, error FROM workflow_execution WHERE id = ANY (:ids::text[])")

STILL_OURS = _sql("SELECT id, fence, state FROM workflow_execution WHERE id = ANY (:ids::text[]) AND owner = :owner")

LIST = _sql("""
    SELECT id, workflow, key, state, attempts, owner, started_at, finished_at, error
    FROM workflow_execution
    WHERE (:state::text IS NULL OR state = :state) AND (:workflow::text IS NULL OR workflow = :workflow)
    ORDER BY started_at DESC LIMIT :limit
""")

SHOW = _sql("SELECT * FROM workflow_execution WHERE id = :id")

PACKED = _sql(
    "SELECT id, workflow, state, input, journal, undo, steps, error, started_at FROM workflow_execution WHERE id = ANY (:ids::text[])"
)

# How the executions of a workflow stand that run, or have ended a moment ago. Each part has an index of its own.
PROGRESS = _sql(f"""
    SELECT id, workflow, key, state, input, journal, undo, result, steps, error, started_at FROM (
        SELECT * FROM workflow_execution WHERE {LIVE}
        UNION ALL
        SELECT * FROM workflow_execution WHERE expires_at > now() + make_interval(secs => :retention::float8 - :recent::float8)
        UNION ALL
        SELECT * FROM workflow_execution
        WHERE state = 'failed' AND finished_at > now() - make_interval(secs => :recent) AND started_at > now() - interval '1 day'
    ) AS execution
    WHERE workflow = :workflow AND (:transaction::text IS NULL OR coalesce(key, id) = :transaction)
    ORDER BY started_at LIMIT :limit
""")

MESSAGE_SECONDS = 86_400.0
"""How long modules keep the record of writes. An execution that is older can't go forward again: it would do them twice."""

RETRY = _sql("""
    UPDATE workflow_execution
    SET state = CASE WHEN undo IS NULL THEN 'invoking' ELSE 'compensating' END,
        owner = NULL, attempts = 0, resume_at = NULL, finished_at = NULL
    WHERE id = :id AND state = 'failed' AND (undo IS NOT NULL OR started_at > now() - make_interval(secs => :recorded))
    RETURNING id
""")

# -- coordinators

BEAT = _sql(f"""
    INSERT INTO workflow_coordinator (id, replica, lease_until) VALUES (:id, :replica, now() + interval '{LEASE_SECONDS} seconds')
    ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until
""")

# Times are kept in whole milliseconds, rounded: without the one less, a lease may end a moment after whoever has ended it looks.
_OVER = "now() - interval '1 millisecond'"

# A replica that was started again has a predecessor of the same name, and that one is dead.
SUCCEED = _sql(f"UPDATE workflow_coordinator SET lease_until = {_OVER} WHERE replica = :replica AND id <> :id AND lease_until > now()")

# So are those that don't answer the supervisor. Who isn't and goes on meets the fence of each execution that was taken over.
SILENT = _sql(f"UPDATE workflow_coordinator SET lease_until = {_OVER} WHERE replica = ANY (:replicas::text[]) AND lease_until > now()")

SIGN_OFF = _sql("DELETE FROM workflow_coordinator WHERE id = :id")

# -- events

SUBSCRIBE = _sql("""
    INSERT INTO event_subscription (event, subscriber)
    SELECT new.event, new.subscriber FROM unnest(:events::text[], :subscribers::text[]) AS new(event, subscriber) ORDER BY 1, 2
    ON CONFLICT (event, subscriber) DO UPDATE SET seen_at = now()
""")

SUBSCRIPTIONS = _sql("SELECT DISTINCT event FROM event_subscription")

# What is due for these subscribers, at most so many for each. Who takes it has a minute; then it is taken for undelivered, and one whose
# coordinators all died with it is given up.
TAKE_DELIVERIES = _sql(f"""
    WITH due AS (
        SELECT delivery.event_id, delivery.subscriber
        FROM unnest(:subscribers::text[], :rooms::int[]) AS mine(subscriber, room)
        CROSS JOIN LATERAL (
            SELECT event_id, subscriber FROM event_delivery
            WHERE event_delivery.subscriber = mine.subscriber AND due_at <= now()
            ORDER BY due_at LIMIT mine.room FOR UPDATE SKIP LOCKED
        ) AS delivery
    )
    UPDATE event_delivery AS delivery
    SET attempts = attempts + 1,
        due_at = CASE WHEN attempts < {DELIVERIES} THEN now() + interval '60 seconds' END,
        error = CASE WHEN attempts < {DELIVERIES} THEN error ELSE coalesce(error, 'Every coordinator that took it died.') END
    FROM due JOIN event_outbox AS event ON event.id = due.event_id
    WHERE delivery.event_id = due.event_id AND delivery.subscriber = due.subscriber
    RETURNING event.id, event.name, event.data, event.created_at, delivery.subscriber, delivery.attempts, delivery.due_at
""")

DELIVERED = _sql("DELETE FROM event_delivery WHERE event_id = :id AND subscriber = :subscriber")

# Unless another coordinator has it by now.
NOT_DELIVERED = _sql(f"""
    UPDATE event_delivery
    SET error = :error, due_at = CASE WHEN attempts < {DELIVERIES} THEN now() + make_interval(secs => 2 ^ attempts) END
    WHERE event_id = :id AND subscriber = :subscriber AND attempts = :attempts
""")

HAND_BACK = _sql("""
    UPDATE event_delivery SET due_at = now(), attempts = attempts - 1
    WHERE event_id = :id AND subscriber = :subscriber AND attempts = :attempts
""")

# -- cleaning

DROP_EXECUTIONS = _sql("""
    DELETE FROM workflow_execution WHERE id IN (
        SELECT id FROM workflow_execution WHERE expires_at < now() ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
""")

DROP_EVENTS = _sql("""
    DELETE FROM event_outbox WHERE id IN (
        SELECT id FROM event_outbox AS event
        WHERE created_at < now() - make_interval(secs => :delivered)
            AND (created_at < now() - make_interval(secs => :undelivered)
                OR NOT EXISTS (SELECT FROM event_delivery WHERE event_id = event.id))
        LIMIT :limit FOR UPDATE SKIP LOCKED
    )
""")

# Those that no coordinator has any more. While none runs, nobody forgets any.
DROP_SUBSCRIPTIONS = _sql("""
    DELETE FROM event_subscription
    WHERE seen_at < (SELECT max(seen_at) FROM event_subscription) - make_interval(secs => :unseen)
""")

DROP_COORDINATORS = _sql("DELETE FROM workflow_coordinator WHERE lease_until < now() - interval '1 hour'")
