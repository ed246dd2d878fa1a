"""Every statement of the engine.

Times are the database's: the clocks of coordinators on several machines needn't agree.
"""

from __future__ import annotations

import re

from ...core.sql.db.compiled import Compiled
from .tables import LIVE, STANDING, UNSUCCESSFUL

LEASE_SECONDS = 15.0
"""Seconds without a renewal after which a coordinator is taken for dead."""
MAX_ATTEMPTS = 8
"""How many coordinators may die while they carry out one execution, before it is left to an operator."""
POISON_SECONDS = 300.0
"""Seconds between two attempts of an execution that has reached that number and can't be given up."""
DELIVERIES = 12
"""How often an event is offered to a subscriber that fails: the last time about 70 minutes after the first."""
AGAIN_BASE = 2
"""To the power of how often it has failed: seconds until it is offered again."""
DELIVERED_SECONDS = 3600.0
UNDELIVERED_SECONDS = 3 * 86_400.0
"""Seconds that events are kept: those delivered to all, and those that were not."""
UNSEEN_SECONDS = 86_400.0
"""Seconds for which the shop keeps what none of its coordinators has code for any more, subscribers and executions: while an upgrade is
rolled out, or was reverted, others have it."""

_DUE = "<= CAST(now() AS timestamptz(3))"
"""Columns keep milliseconds, rounded: a time of now may lie half a millisecond ahead, and would wait for the next check."""


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

BEGIN = _sql(f"""
    INSERT INTO workflow_execution (id, workflow, key, state, input, journal, owner, trace_id, started_at)
    VALUES (:id, :workflow, :key, 'invoking', :input, :journal::bytea[], :owner, :trace_id, :started_at)
    ON CONFLICT (workflow, key) WHERE key IS NOT NULL AND {STANDING} DO NOTHING
    RETURNING id
""")

# Fence 0: not carried out yet.
QUEUE = _sql(f"""
    INSERT INTO workflow_execution (id, workflow, key, state, input, fence, trace_id, started_at)
    VALUES (:id, :workflow, :key, 'invoking', :input, 0, :trace_id, now())
    ON CONFLICT (workflow, key) WHERE key IS NOT NULL AND {STANDING} DO NOTHING
    RETURNING id
""")

_OURS = f"id = :id AND owner = :owner AND fence = :fence AND {LIVE}"

# What was done since counts from its own first lock.
_APPEND = f"UPDATE workflow_execution SET journal = journal || :journal::bytea[], locked_since = NULL WHERE {_OURS} RETURNING id"

APPEND = _sql(_APPEND)

# Also for an execution that is finishing: its pivot was in doubt, and turned out to be refused.
COMPENSATE = _sql(f"""
    UPDATE workflow_execution
    SET state = 'compensating', journal = journal || :journal::bytea[], undo = :undo, error = :error, result = NULL, waits_at = NULL,
        failures = 0, locked_since = NULL
    WHERE {_OURS} AND state <> 'compensating'
    RETURNING id
""")

# Recorded as begun, and begun.
APPEND_AND_START = _sql(f"""
    WITH ours AS ({_APPEND}), started AS (
        INSERT INTO workflow_execution (id, workflow, key, state, input, fence, trace_id, started_at)
        SELECT :new_id, :workflow, :key, 'invoking', :input, 0, :trace_id, now() FROM ours
        ON CONFLICT (workflow, key) WHERE key IS NOT NULL AND {STANDING} DO NOTHING
    )
    SELECT id FROM ours
""")

# Each event with a delivery for every subscriber of the shop, whichever process emits it.
_EVENTS = """
    event AS (
        INSERT INTO event_outbox (id, name, data, execution_id)
        SELECT new.id, new.name, new.data, {execution}
        FROM {source} unnest(:event_ids::text[], :event_names::text[], :event_data::bytea[]) AS new(id, name, data)
        ON CONFLICT (id) DO NOTHING
        RETURNING id, name
    ), delivery AS (
        INSERT INTO event_delivery (event_id, subscriber, due_at)
        SELECT DISTINCT event.id, subscription.subscriber, now()
        FROM event JOIN event_subscription AS subscription ON subscription.event IN (event.name, '*')
    )
"""

_FINISH = f"""
    UPDATE workflow_execution
    SET state = 'done', result = :result, journal = '{{}}', undo = NULL, error = NULL, steps = :steps::text[], finished_at = now(),
        expires_at = now() + make_interval(secs => :retention::float8), waits_at = NULL, locked_since = NULL
    WHERE {_OURS} AND state <> 'compensating'
    RETURNING id
"""

FINISH = _sql(_FINISH)

FINISH_WITH_EVENTS = _sql(f"WITH done AS ({_FINISH}), {_EVENTS.format(execution='done.id', source='done CROSS JOIN')} SELECT id FROM done")

STORE_EVENTS = _sql(f"WITH {_EVENTS.format(execution=':id', source='')} SELECT count(*) FROM event")

END = _sql(f"""
    UPDATE workflow_execution
    SET state = :state, error = :error, undo = :undo, steps = :steps::text[], finished_at = now(),
        expires_at = CASE WHEN :state = 'reverted' THEN now() + make_interval(secs => :retention) END,
        journal = CASE WHEN :state = 'reverted' THEN '{{}}' ELSE journal END
    WHERE {_OURS}
    RETURNING id
""")

# The step at a position may be answered from now on. What was done before it is recorded with that: followers hear of it first.
WAIT = _sql(f"""
    UPDATE workflow_execution
    SET journal = journal || :journal::bytea[], locked_since = NULL,
        waits = coalesce(waits, '{{}}') || jsonb_build_object(:path::text, jsonb_build_object(
        'step', :step::text, 'name', :name::text, 'round', :round::int, 'until', extract(epoch FROM now()) + :seconds::float8))
    WHERE {_OURS} AND state <> 'compensating'
    RETURNING id
""")

# What counts for the position: an answer that came before, or that it is too late for one.
CLOSE_WAIT = _sql(f"""
    UPDATE workflow_execution
    SET waits = CASE WHEN waits -> :path::text ? 'answer' THEN waits
        ELSE jsonb_set(waits, ARRAY[:path::text, 'answer'], to_jsonb(:answer::text)) END
    WHERE {_OURS}
    RETURNING waits -> :path::text ->> 'answer'
""")

# Not one that failed and isn't asked again yet: it waits for no time.
_OPEN = """(SELECT wait.key FROM jsonb_each(waits) AS wait
    WHERE wait.value ->> 'step' = :step AND wait.value ? 'until' AND NOT wait.value ? 'answer' LIMIT 1)"""

# By anybody, beside the coordinator that carries it out, if any does: that one looks once more when it puts it into the table.
ANSWER = _sql(f"""
    UPDATE workflow_execution
    SET waits = jsonb_set(waits, ARRAY[{_OPEN}, 'answer'], to_jsonb(:answer::text)),
        resume_at = CASE WHEN owner IS NULL THEN now() ELSE resume_at END
    WHERE id IN (
        SELECT id FROM workflow_execution WHERE workflow = :workflow AND key = :transaction AND {STANDING}
        UNION ALL
        SELECT id FROM workflow_execution WHERE workflow = :workflow AND id = :transaction
    ) AND state IN ('invoking', 'finishing') AND {_OPEN} IS NOT NULL
    RETURNING id
""")

# Puts the execution into the table, for any coordinator to continue when it is due: at once where somebody has answered meanwhile.
# Gives the seconds until then.
PARK = _sql(f"""
    UPDATE workflow_execution
    SET owner = NULL, resume_at = now() + make_interval(secs => CASE WHEN EXISTS (
            SELECT FROM jsonb_each(waits) AS wait WHERE wait.value ? 'answer' AND wait.key <> ALL (:heard::text[])
        ) THEN 0 ELSE :pause::float8 END), waits = waits || :again::jsonb, journal = journal || :journal::bytea[],
        state = CASE WHEN :onward AND state = 'invoking' THEN 'finishing' ELSE state END,
        result = coalesce(:result, result), error = coalesce(:error, CASE WHEN state = 'compensating' THEN error END),
        undo = coalesce(:undo, undo), waits_at = coalesce(:waits_at, waits_at),
        failures = coalesce(:failures, failures),
        failing_since = CASE :failures WHEN 0 THEN NULL WHEN 1 THEN now() ELSE failing_since END,
        locked_since = CASE WHEN :for_lock THEN coalesce(CASE :journal::bytea[] WHEN '{{}}' THEN locked_since END, now())
            WHEN :waits_at::text IS NULL THEN locked_since END
    WHERE {_OURS}
    RETURNING extract(epoch FROM resume_at - now())::float8
""")

BURY = _sql("""
    INSERT INTO workflow_execution (id, workflow, state, input, journal, undo, error, trace_id, started_at, finished_at)
    VALUES (:id, :workflow, 'failed', :input, :journal::bytea[], :undo, :error, :trace_id, :started_at, now())
    ON CONFLICT (id) DO UPDATE SET state = 'failed', undo = excluded.undo, error = excluded.error, finished_at = now()
""")

BACKLOG = _sql(f"""
    SELECT
        (SELECT count(*) FROM workflow_execution WHERE {LIVE} AND state = 'invoking') AS invoking,
        (SELECT count(*) FROM workflow_execution WHERE {LIVE} AND state = 'finishing') AS finishing,
        (SELECT count(*) FROM workflow_execution WHERE {LIVE} AND state = 'compensating') AS compensating,
        (SELECT count(*) FROM workflow_execution WHERE state = 'failed' AND given_up IS NULL) AS failed,
        (SELECT count(*) FROM event_delivery WHERE due_at IS NOT NULL) AS events
""")

# Executions that no coordinator carries out: they wait and are due, or their owner is dead, or this coordinator began them and could not
# record their end. One whose workflow this coordinator doesn't have is left to those that do; it is taken only after a day, to be given
# up. SKIP LOCKED: coordinators that run this at the same time share the rows instead of waiting for each other. A visitor takes the `only`
# one that it is asked for.
_LEFT = f"""
    FROM workflow_execution AS execution
    LEFT JOIN workflow_coordinator AS coordinator ON coordinator.id = execution.owner
    WHERE execution.{LIVE}
      AND (CAST(:only AS text) IS NULL OR execution.id = :only)
      AND (execution.resume_at IS NULL OR execution.resume_at {_DUE})
      AND CASE WHEN execution.owner = :owner THEN execution.id = ANY (:left::text[])
          ELSE coordinator.id IS NULL OR coordinator.lease_until < now() END
      AND (execution.workflow = ANY (:known::text[])
          OR greatest(execution.resume_at, coordinator.lease_until, execution.started_at) < now() - interval '{UNSEEN_SECONDS} seconds')
"""

ORPHANED = _sql(f"SELECT EXISTS (SELECT {_LEFT})")

# A death counts as an attempt, waiting in the table doesn't. After too many deaths an execution is given up, or, beyond its point of no
# return, tried at long intervals.
# Only where it still is as it was seen: of a row that another one has just taken over, PostgreSQL looks at the new version, beside which it
# finds no coordinator.
TAKE_OVER = _sql(f"""
    WITH seen AS MATERIALIZED (SELECT execution.id, execution.owner, execution.fence {_LEFT}), orphans AS (
        SELECT execution.id, execution.owner AS left_by, died, died AND attempts >= {MAX_ATTEMPTS} AS deadly
        FROM (
            SELECT execution.*, execution.owner IS NOT NULL AND execution.owner <> :owner AS died
            FROM workflow_execution AS execution JOIN seen USING (id, fence)
            WHERE execution.{LIVE} AND execution.owner IS NOT DISTINCT FROM seen.owner
            ORDER BY execution.started_at
            LIMIT :limit
            FOR UPDATE OF execution SKIP LOCKED
        ) AS execution
    )
    UPDATE workflow_execution AS execution
    SET fence = fence + 1, attempts = attempts + died::int,
        owner = CASE WHEN deadly AND state = 'finishing' THEN NULL ELSE :owner END,
        resume_at = CASE WHEN deadly AND state = 'finishing' THEN now() + make_interval(secs => {POISON_SECONDS}) END,
        state = CASE WHEN deadly AND state <> 'finishing' THEN 'failed' ELSE state END,
        finished_at = CASE WHEN deadly AND state <> 'finishing' THEN now() END,
        error = CASE WHEN deadly THEN coalesce(error, :gave_up) ELSE error END
    FROM orphans WHERE execution.id = orphans.id
    RETURNING execution.*, orphans.left_by, extract(epoch FROM now() - failing_since)::float8 AS failing_seconds,
        extract(epoch FROM now() - locked_since)::float8 AS locked_seconds,
        extract(epoch FROM now())::float8 AS now
""")

OF_KEY = _sql(f"""
    SELECT id, state FROM (
        SELECT id, state, finished_at, 1 AS rank FROM workflow_execution WHERE workflow = :workflow AND key = :key AND {STANDING}
        UNION ALL
        SELECT id, state, finished_at, 2 FROM workflow_execution
        WHERE workflow = :workflow AND key = :key AND {UNSUCCESSFUL} AND finished_at > now() - make_interval(secs => :since)
    ) AS execution
    ORDER BY rank, finished_at DESC
    LIMIT 1
""")

OUTCOMES = _sql("""
    SELECT id, state, result, error, CASE WHEN resume_at > now() THEN extract(epoch FROM resume_at - now())::float8 END AS waits
    FROM workflow_execution WHERE id = ANY (:ids::text[])
""")

STILL_OURS = _sql("SELECT id, fence, state FROM workflow_execution WHERE id = ANY (:ids::text[]) AND owner = :owner")

OURS_BUT = _sql(f"SELECT id FROM workflow_execution WHERE owner = :owner AND {LIVE} AND id <> ALL (:ids::text[])")

LIST = _sql("""
    SELECT id, workflow, key, state, attempts, owner, waits_at, failures, locked_since, resume_at, started_at, finished_at, error, given_up
    FROM workflow_execution
    WHERE (:state::text IS NULL OR state = :state) AND (:workflow::text IS NULL OR workflow = :workflow)
    ORDER BY started_at DESC LIMIT :limit
""")

SHOW = _sql("SELECT * FROM workflow_execution WHERE id = :id")

_SHOWN = "id, workflow, key, state, input, journal, undo, result, steps, error, started_at, waits_at, waits, given_up"

PACKED = _sql(f"SELECT {_SHOWN} FROM workflow_execution WHERE id = ANY (:ids::text[])")

TRANSACTION = _sql(f"""
    SELECT {_SHOWN} FROM (
        SELECT * FROM workflow_execution WHERE workflow = :workflow AND id = :transaction
        UNION ALL
        SELECT * FROM workflow_execution WHERE workflow = :workflow AND key = :transaction AND {STANDING}
        UNION ALL
        SELECT * FROM workflow_execution WHERE workflow = :workflow AND key = :transaction AND {UNSUCCESSFUL}
    ) AS execution
    ORDER BY started_at DESC LIMIT 1
""")

# The executions of a workflow that run, or have ended a moment ago. Each part has an index of its own.
PROGRESS = _sql(f"""
    SELECT {_SHOWN} FROM (
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
"""Seconds for which modules keep the records of writes of executions that are over. An execution that failed longer ago can't go forward
again: it would do its writes twice."""

LIVING = _sql(f"SELECT id FROM workflow_execution WHERE {LIVE} AND started_at < now() - make_interval(secs => :seconds)")

# How far it had come isn't known, so it goes forward.
RETRY = _sql("""
    UPDATE workflow_execution
    SET state = CASE WHEN undo IS NULL THEN 'finishing' ELSE 'compensating' END,
        owner = NULL, attempts = 1, resume_at = now(), finished_at = NULL, failures = 0, waits_at = NULL, locked_since = NULL,
        given_up = NULL
    WHERE id = :id AND state = 'failed' AND (undo IS NOT NULL OR started_at > now() - make_interval(secs => :recorded))
    RETURNING id
""")

# Only for an execution that no coordinator carries out right now. What it has done stays done; its undo list is kept.
GIVE_UP = _sql(f"""
    UPDATE workflow_execution
    SET state = 'failed', given_up = :given_up, finished_at = coalesce(finished_at, now()), resume_at = NULL, fence = fence + 1
    WHERE id = :id AND given_up IS NULL AND (state = 'failed' OR {LIVE} AND owner IS NULL)
      AND (:step::text IS NULL OR failures > 0 AND (waits_at = :step OR right(waits_at, length(:step) + 1) = ' ' || :step))
    RETURNING id
""")

# -- jobs

# A job whose ticks have changed begins anew: none of the new ones was missed before.
RECORD_JOBS = _sql("""
    INSERT INTO workflow_job (name, cron, time_zone, missed, last_tick, seen_at)
    SELECT new.name, new.cron, new.time_zone, new.missed, now(), now()
    FROM unnest(:names::text[], :crons::text[], :time_zones::text[], :missed::text[]) AS new(name, cron, time_zone, missed) ORDER BY 1
    ON CONFLICT (name) DO UPDATE SET cron = excluded.cron, time_zone = excluded.time_zone, missed = excluded.missed, seen_at = now(),
        last_tick = CASE WHEN (workflow_job.cron, workflow_job.time_zone) = (excluded.cron, excluded.time_zone)
            THEN workflow_job.last_tick ELSE now() END
""")

TICKS = _sql("SELECT name, last_tick, now() AS now FROM workflow_job WHERE name = ANY (:names::text[])")

# Whoever moves the tick from where it was seen begins the execution, in the same statement. Not while one runs: one that was begun since
# this statement's snapshot has moved the tick, too.
BEGIN_TICK = _sql(f"""
    WITH begun AS (
        UPDATE workflow_job SET last_tick = :tick
        WHERE name = :name AND last_tick = :seen AND :tick <= now()
            AND NOT EXISTS (SELECT FROM workflow_execution WHERE workflow = :name AND {LIVE})
        RETURNING name
    )
    INSERT INTO workflow_execution (id, workflow, key, state, input, fence, trace_id, started_at)
    SELECT :id, begun.name, :key, 'invoking', :input, 0, :trace_id, now() FROM begun
    ON CONFLICT (workflow, key) WHERE key IS NOT NULL AND {STANDING} DO NOTHING
    RETURNING id
""")

# Not one that is done, runs, or has failed so that an operator has to look at it.
BEGIN_ONCE = _sql(f"""
    INSERT INTO workflow_execution (id, workflow, key, state, input, fence, trace_id, started_at)
    SELECT new.id, new.name, 'once', 'invoking', :input, 0, :trace_id, now()
    FROM unnest(:ids::text[], :names::text[]) AS new(id, name)
    WHERE NOT EXISTS (SELECT FROM workflow_execution WHERE workflow = new.name AND key = 'once' AND state = 'failed' AND {UNSUCCESSFUL})
    ON CONFLICT (workflow, key) WHERE key IS NOT NULL AND {STANDING} DO NOTHING
    RETURNING id
""")

BEGIN_JOB = _sql("""
    INSERT INTO workflow_execution (id, workflow, state, input, fence, trace_id, started_at)
    SELECT :id, name, 'invoking', :input, 0, :trace_id, now() FROM workflow_job WHERE name = :name
    RETURNING id
""")

JOBS = _sql("""
    SELECT job.*, last.id AS execution, last.state, last.started_at, last.finished_at, last.error, now() AS now
    FROM workflow_job AS job
    LEFT JOIN LATERAL (
        SELECT id, state, started_at, finished_at, error FROM workflow_execution WHERE workflow = job.name ORDER BY started_at DESC LIMIT 1
    ) AS last ON true
    ORDER BY job.name
""")

# By a coordinator that has just recorded its own.
DROP_JOBS = _sql("DELETE FROM workflow_job WHERE seen_at < now() - make_interval(secs => :unseen)")

# -- coordinators

BEAT = _sql(f"""
    INSERT INTO workflow_coordinator (id, replica, machine, process, lease_until)
    VALUES (:id, :replica, :machine, :process, now() + interval '{LEASE_SECONDS} seconds')
    ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until
""")

NEIGHBOURS = _sql("""
    SELECT id, process FROM workflow_coordinator
    WHERE machine = :machine AND process IS NOT NULL AND lease_until > now() AND id <> :id
""")

# Times are kept in whole milliseconds, rounded: without the subtraction, a lease may end just after the process that ended it looks.
DEAD = _sql("UPDATE workflow_coordinator SET lease_until = now() - interval '1 millisecond' WHERE id = ANY (:ids::text[])")

SIGN_OFF = _sql("DELETE FROM workflow_coordinator WHERE id = :id")

# -- events

SUBSCRIBE = _sql("""
    INSERT INTO event_subscription (event, subscriber)
    SELECT new.event, new.subscriber FROM unnest(:events::text[], :subscribers::text[]) AS new(event, subscriber) ORDER BY 1, 2
    ON CONFLICT (event, subscriber) DO UPDATE SET seen_at = now()
""")

UNSUBSCRIBE = _sql("DELETE FROM event_subscription WHERE subscriber = ANY (:subscribers::text[])")

SUBSCRIPTIONS = _sql("SELECT DISTINCT event FROM event_subscription")

# In a transaction, so that versions rise in the order in which the subscriptions were read.
LOCK_SUBSCRIPTIONS = _sql("SELECT pg_advisory_xact_lock(hashtextextended('event_subscription', 0))")
SUBSCRIPTIONS_NOW = _sql("""
    SELECT coalesce(array_agg(DISTINCT event), '{}') AS events, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS version
    FROM event_subscription
""")

# The deliveries that are due for these subscribers, at most so many for each. A coordinator has a minute for one; then it counts as
# undelivered, and a delivery whose coordinators all died is given up.
_TAKE = f"""
    WITH due AS (
        SELECT delivery.event_id, delivery.subscriber
        FROM unnest(:subscribers::text[], :rooms::int[]) AS mine(subscriber, room)
        CROSS JOIN LATERAL (
            SELECT event_id, subscriber FROM event_delivery
            WHERE event_delivery.subscriber = mine.subscriber AND {{which}}
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
"""
TAKE_DELIVERIES = _sql(_TAKE.format(which=f"due_at {_DUE}"))
# Of these events.
TAKE_ANNOUNCED = _sql(_TAKE.format(which=f"event_id = ANY (:ids::text[]) AND due_at {_DUE}"))
# Those that the stream should have brought by now, and of subscribers that are behind all.
TAKE_LATE = _sql(
    _TAKE.format(
        which="due_at <= now() - make_interval(secs => CASE WHEN mine.subscriber = ANY (:behind::text[]) THEN 0 ELSE :late::float8 END)"
    )
)

# Events that are to go on to the stream: it is a subscriber that is never given up.
TAKE_FOR_STREAM = _sql(f"""
    WITH due AS (
        SELECT event_id FROM event_delivery WHERE subscriber = :stream AND due_at {_DUE}
        ORDER BY due_at, event_id LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE event_delivery AS delivery SET due_at = now() + interval '60 seconds'
    FROM due JOIN event_outbox AS event ON event.id = due.event_id
    WHERE delivery.event_id = due.event_id AND delivery.subscriber = :stream
    RETURNING event.id, event.name, event.data, event.created_at
""")
HANDED_ON = _sql("DELETE FROM event_delivery WHERE subscriber = :stream AND event_id = ANY (:ids::text[])")
NEVER_HANDED_ON = _sql("UPDATE event_delivery SET due_at = NULL, error = :error WHERE subscriber = :stream AND event_id = :id")
NOT_HANDED_ON = _sql("UPDATE event_delivery SET due_at = now() WHERE subscriber = :stream AND event_id = ANY (:ids::text[])")

_DELIVERED = "DELETE FROM event_delivery WHERE event_id = :id AND subscriber = :subscriber"

DELIVERED = _sql(_DELIVERED)

# With what the subscriber has emitted and started: of two coordinators that have delivered it, one settles it.
DELIVERED_WITH = _sql(f"""
    WITH delivered AS ({_DELIVERED} RETURNING event_id),
    {_EVENTS.format(execution=":run", source="delivered CROSS JOIN")},
    started AS (
        INSERT INTO workflow_execution (id, workflow, key, state, input, fence, trace_id, started_at)
        SELECT new.id, new.workflow, new.key, 'invoking', new.input, 0, :trace_id, now()
        FROM delivered CROSS JOIN unnest(:ids::text[], :workflows::text[], :keys::text[], :inputs::bytea[]) AS new(id, workflow, key, input)
        ON CONFLICT (workflow, key) WHERE key IS NOT NULL AND {STANDING} DO NOTHING
    )
    SELECT count(*) FROM delivered
""")

# Unless another coordinator has it by now.
NOT_DELIVERED = _sql(f"""
    UPDATE event_delivery
    SET error = :error, due_at = CASE WHEN attempts < {DELIVERIES} THEN now() + make_interval(secs => {AGAIN_BASE} ^ attempts) END
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

# Subscribers that no coordinator has any more. While no coordinator runs, none are dropped.
DROP_SUBSCRIPTIONS = _sql("""
    DELETE FROM event_subscription
    WHERE seen_at < (SELECT max(seen_at) FROM event_subscription) - make_interval(secs => :unseen)
""")

DROP_COORDINATORS = _sql(f"DELETE FROM workflow_coordinator WHERE lease_until < now() - interval '{UNSEEN_SECONDS} seconds'")
