"""Statements of the payment module beyond what the kernel makes.

Locks are taken in the order collection, payment. Statements that look at what belongs to a collection or payment come
after the one that locks it: only then do they see what those did who held it before.
"""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.compiled import compiled

# One collection for each payer, however often and from wherever it is asked for.
COLLECTION_FOR = compiled(
    text("""
    INSERT INTO payment_collection (id, payer_key, currency_code, amount, metadata)
    VALUES (CAST(:id AS text), CAST(:payer_key AS text), CAST(:currency_code AS text), CAST(:amount AS numeric), CAST(:metadata AS jsonb))
    ON CONFLICT (payer_key) DO UPDATE SET deleted_at = NULL
    RETURNING id, amount, currency_code
""")
)

LOCK_COLLECTION = compiled(
    text("""
    SELECT id, amount, captured_amount, currency_code, status, payer_key FROM payment_collection
    WHERE id = CAST(:id AS text) AND deleted_at IS NULL FOR NO KEY UPDATE
""")
)

SET_AMOUNT = compiled(
    text("""
    UPDATE payment_collection
    SET amount = CAST(:amount AS numeric), currency_code = CAST(:currency_code AS text), updated_at = clock_timestamp()
    WHERE id = CAST(:id AS text)
""")
)

# Sessions that nothing was paid in, or whose payment was let go again, gone; with `unclaimed` also those that money was paid in and that
# no order stands for. Their providers have to forget them: that is owed from here on, and given are those to whom it is owed.
DROP_SESSIONS = compiled(
    text("""
    UPDATE payment_session AS session
    SET deleted_at = now(), updated_at = clock_timestamp(),
        settle_at = CASE WHEN session.provider_id = ANY(CAST(:quiet AS text[])) THEN NULL ELSE now() END
    WHERE session.deleted_at IS NULL
      AND (session.payment_collection_id = CAST(:collection_id AS text) OR session.id = ANY(CAST(:ids AS text[])))
      AND (
          CAST(:unclaimed AS boolean) AND session.settle_at IS NOT NULL
          OR session.status NOT IN ('authorized', 'captured', 'pending_authorization')
          AND NOT EXISTS (
              SELECT FROM payment
              WHERE payment.payment_session_id = session.id AND payment.deleted_at IS NULL AND payment.canceled_at IS NULL
          )
      )
    RETURNING session.id, session.payment_collection_id, session.provider_id, session.data, session.amount, session.currency_code,
              session.context, session.status, session.deleted_at, session.settle_at, session.doubted_at, session.created_at,
              (SELECT payment.id FROM payment
               WHERE payment.payment_session_id = session.id AND payment.deleted_at IS NULL AND payment.canceled_at IS NULL) AS payment_id,
              CAST(NULL AS timestamptz) AS canceled_at
""")
)

SESSION = compiled(
    text("""
    SELECT session.id, session.payment_collection_id, session.provider_id, session.data, session.amount, session.currency_code,
           session.context, session.status, session.attempt, session.settle_at, session.doubted_at,
           payment.id AS payment_id, payment.canceled_at,
           ARRAY(SELECT other.id FROM payment_session AS other
                 WHERE other.payment_collection_id = session.payment_collection_id AND other.settle_at <= now()
                   AND other.deleted_at IS NOT NULL AND other.id <> session.id) AS unsettled
    FROM payment_session AS session
    LEFT JOIN payment ON payment.payment_session_id = session.id AND payment.deleted_at IS NULL
    WHERE session.id = CAST(:id AS text) AND session.deleted_at IS NULL
""")
)

# The same of any session there ever was.
SESSION_EVER = compiled(
    text("""
    SELECT session.id, session.payment_collection_id, session.provider_id, session.data, session.amount, session.currency_code,
           session.context, session.status, session.attempt, session.deleted_at, session.settle_at, session.doubted_at, session.created_at,
           payment.id AS payment_id, payment.canceled_at
    FROM payment_session AS session
    LEFT JOIN payment ON payment.payment_session_id = session.id AND payment.deleted_at IS NULL
    WHERE session.id = CAST(:id AS text)
""")
)

# The provider authorised. `claimed`: an order stands for it from here on. Nothing happens to a session that was dropped while the
# provider was asked: what it holds by now is owed back. `order_id`: of that order; a collection stays its first order's. Locks the
# collection first; that there is one payment only, the unique index sees to. The collection is counted on from its newest version, not
# summed up: sums would miss what somebody else committed while the lock was waited for. Gives the payment.
AUTHORIZED = compiled(
    text("""
    WITH collection AS (
        SELECT id FROM payment_collection WHERE id = CAST(:collection_id AS text) FOR NO KEY UPDATE
    ), session AS (
        UPDATE payment_session
        SET status = CAST(:status AS text), authorized_at = coalesce(authorized_at, now()), data = CAST(:data AS jsonb),
            settle_at = CASE WHEN CAST(:claimed AS boolean) THEN NULL ELSE settle_at END, updated_at = clock_timestamp()
        FROM collection
        WHERE payment_session.id = CAST(:id AS text) AND payment_session.payment_collection_id = collection.id
          AND payment_session.deleted_at IS NULL
          AND NOT EXISTS (SELECT FROM payment WHERE payment.payment_session_id = payment_session.id AND payment.deleted_at IS NULL)
        RETURNING payment_session.*
    ), made AS (
        INSERT INTO payment (id, amount, currency_code, provider_id, data, payment_collection_id, payment_session_id)
        SELECT CAST(:payment_id AS text), amount, currency_code, provider_id, data, payment_collection_id, id
        FROM session
        ON CONFLICT (payment_session_id) WHERE deleted_at IS NULL DO NOTHING
        RETURNING *
    )
    UPDATE payment_collection AS collection
    SET authorized_amount = coalesce(collection.authorized_amount, 0) + made.amount,
        order_id = coalesce(collection.order_id, CAST(:order_id AS text)),
        captured_amount = coalesce(collection.captured_amount, 0), refunded_amount = coalesce(collection.refunded_amount, 0),
        status = CASE
            WHEN collection.captured_amount > 0 THEN collection.status
            WHEN coalesce(collection.authorized_amount, 0) + made.amount >= collection.amount AND made.amount > 0 THEN 'authorized'
            WHEN coalesce(collection.authorized_amount, 0) + made.amount > 0 THEN 'partially_authorized'
            WHEN collection.status = 'canceled' THEN 'canceled'
            ELSE 'awaiting'
        END,
        updated_at = clock_timestamp()
    FROM made
    WHERE collection.id = made.payment_collection_id
    RETURNING made.id, made.amount, made.currency_code, made.provider_id, made.payment_collection_id, made.payment_session_id,
              made.metadata, CAST(made.created_at AS timestamptz(3)) AS created_at
""")
)

PAYMENT_OF_SESSION = compiled(text("SELECT id FROM payment WHERE payment_session_id = CAST(:id AS text) AND deleted_at IS NULL"))

# An order stands for what is paid in a session. None where the session was dropped.
CLAIM = compiled(
    text("""
    WITH collection AS (
        SELECT id FROM payment_collection WHERE id = CAST(:collection_id AS text) FOR NO KEY UPDATE
    ), claimed AS (
        UPDATE payment_session SET settle_at = NULL, updated_at = clock_timestamp()
        FROM collection
        WHERE payment_session.id = CAST(:id AS text) AND payment_session.payment_collection_id = collection.id
          AND payment_session.deleted_at IS NULL
        RETURNING payment_session.payment_collection_id
    )
    UPDATE payment_collection AS collection
    SET order_id = coalesce(collection.order_id, CAST(:order_id AS text)), updated_at = clock_timestamp()
    FROM claimed
    WHERE collection.id = claimed.payment_collection_id
""")
)

# Anything but authorised. Never overwrites an authorisation that came first. `declined` lets the next try be another one; `claimed`: an
# order stands for what may be paid in it yet.
NOT_AUTHORIZED = compiled(
    text("""
    WITH session AS (
        UPDATE payment_session
        SET status = CAST(:status AS text), data = CAST(:data AS jsonb), updated_at = clock_timestamp(),
            attempt = attempt + CASE WHEN CAST(:declined AS boolean) THEN 1 ELSE 0 END,
            settle_at = CASE WHEN CAST(:claimed AS boolean) THEN NULL ELSE settle_at END
        WHERE id = CAST(:id AS text) AND attempt = CAST(:attempt AS integer) AND status NOT IN ('authorized', 'captured')
        RETURNING payment_collection_id
    )
    UPDATE payment_collection AS collection SET order_id = coalesce(collection.order_id, CAST(:order_id AS text))
    FROM session
    WHERE CAST(:claimed AS boolean) AND collection.id = session.payment_collection_id
""")
)

# What a collection's amounts and status follow from. Called with the collection locked.
REFRESH_COLLECTION = compiled(
    text("""
    WITH sums AS (
        SELECT
            (SELECT coalesce(sum(amount), 0) FROM payment
             WHERE payment_collection_id = CAST(:id AS text) AND deleted_at IS NULL AND canceled_at IS NULL) AS authorized,
            (SELECT coalesce(sum(capture.amount), 0) FROM capture JOIN payment ON payment.id = capture.payment_id
             WHERE payment.payment_collection_id = CAST(:id AS text) AND capture.deleted_at IS NULL) AS captured,
            (SELECT coalesce(sum(refund.amount), 0) FROM refund JOIN payment ON payment.id = refund.payment_id
             WHERE payment.payment_collection_id = CAST(:id AS text) AND refund.deleted_at IS NULL) AS refunded,
            EXISTS (SELECT FROM payment_session
                    WHERE payment_collection_id = CAST(:id AS text) AND deleted_at IS NULL) AS has_sessions
    ), next AS (
        SELECT sums.*,
            CASE
                WHEN captured > 0 AND captured >= amount THEN 'completed'
                WHEN authorized > 0 AND authorized >= amount THEN 'authorized'
                WHEN authorized > 0 THEN 'partially_authorized'
                WHEN status = 'canceled' THEN 'canceled'
                WHEN has_sessions THEN 'awaiting'
                ELSE 'not_paid'
            END AS status
        FROM payment_collection, sums
        WHERE id = CAST(:id AS text)
    )
    UPDATE payment_collection AS collection
    SET authorized_amount = next.authorized, captured_amount = next.captured, refunded_amount = next.refunded, status = next.status,
        completed_at = CASE WHEN next.status = 'completed' THEN coalesce(collection.completed_at, now()) END,
        updated_at = clock_timestamp()
    FROM next
    WHERE collection.id = CAST(:id AS text)
""")
)

CANCEL_COLLECTION = compiled(
    text("UPDATE payment_collection SET status = 'canceled', updated_at = clock_timestamp() WHERE id = CAST(:id AS text)")
)

LOCK_PAYMENT = compiled(
    text("""
    SELECT id, amount, currency_code, provider_id, data, captured_at, canceled_at, payment_collection_id, payment_session_id
    FROM payment WHERE id = CAST(:id AS text) AND deleted_at IS NULL FOR NO KEY UPDATE
""")
)

# Where a payment stands: what was captured and given back, and what is being asked of the provider right now.
STANDING = compiled(
    text("""
    SELECT
        (SELECT coalesce(sum(amount), 0) FROM capture WHERE payment_id = CAST(:id AS text) AND deleted_at IS NULL) AS captured,
        (SELECT coalesce(sum(amount), 0) FROM refund WHERE payment_id = CAST(:id AS text) AND deleted_at IS NULL) AS refunded,
        coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0) AS capturing,
        coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunding,
        count(*) FILTER (WHERE kind = 'cancel') > 0 AS canceling
    FROM payment_operation
    WHERE payment_id = CAST(:id AS text) AND state = 'pending'
""")
)

# What was begun with the caller's key, or by somebody who never came back with an answer.
OPERATIONS = compiled(
    text("""
    SELECT id, payment_id, kind, state, amount, details,
           coalesce(kind = CAST(:kind AS text) AND request_key = CAST(:request_key AS text), false) AS mine
    FROM payment_operation
    WHERE payment_id = CAST(:id AS text)
      AND ((kind = CAST(:kind AS text) AND request_key = CAST(:request_key AS text) AND state <> 'failed')
           OR (state = 'pending' AND created_at < now() - CAST(:patience AS double precision) * interval '1 second'))
    ORDER BY created_at, id
""")
)

BEGIN_OPERATION = compiled(
    text("""
    INSERT INTO payment_operation (id, payment_id, kind, amount, request_key, details)
    VALUES (CAST(:id AS text), CAST(:payment_id AS text), CAST(:kind AS text), CAST(:amount AS numeric), CAST(:request_key AS text),
            CAST(:details AS jsonb))
""")
)

# The first who brings the answer books it; whoever comes later finds the operation no longer pending.
END_OPERATION = compiled(
    text("""
    UPDATE payment_operation
    SET state = CAST(:state AS text), failure = CAST(:failure AS text), updated_at = clock_timestamp()
    WHERE id = CAST(:id AS text) AND state = 'pending'
    RETURNING id
""")
)

BOOK_CAPTURE = compiled(
    text("""
    INSERT INTO capture (id, amount, payment_id, created_by, metadata)
    VALUES (CAST(:id AS text), CAST(:amount AS numeric), CAST(:payment_id AS text), CAST(:created_by AS text), CAST(:metadata AS jsonb))
""")
)

BOOK_REFUND = compiled(
    text("""
    INSERT INTO refund (id, amount, payment_id, refund_reason_id, note, created_by, metadata)
    VALUES (CAST(:id AS text), CAST(:amount AS numeric), CAST(:payment_id AS text), CAST(:refund_reason_id AS text),
            CAST(:note AS text), CAST(:created_by AS text), CAST(:metadata AS jsonb))
""")
)

# After an operation: the provider's data, and whether the payment is captured as a whole or cancelled. Nobody can pay any more in
# the session of a cancelled payment.
BOOK_PAYMENT = compiled(
    text("""
    WITH session AS (
        UPDATE payment_session SET status = 'canceled', updated_at = clock_timestamp()
        WHERE CAST(:kind AS text) = 'cancel'
          AND id = (SELECT payment_session_id FROM payment WHERE payment.id = CAST(:id AS text))
    )
    UPDATE payment
    SET data = CAST(:data AS jsonb), updated_at = clock_timestamp(),
        canceled_at = CASE WHEN CAST(:kind AS text) = 'cancel' THEN coalesce(canceled_at, now()) ELSE canceled_at END,
        captured_at = CASE
            WHEN CAST(:kind AS text) = 'capture' AND amount <= (
                SELECT coalesce(sum(capture.amount), 0) FROM capture WHERE capture.payment_id = payment.id AND capture.deleted_at IS NULL
            ) THEN coalesce(captured_at, now())
            ELSE captured_at
        END
    WHERE id = CAST(:id AS text)
""")
)

KEEP_ACCOUNT = compiled(
    text("""
    INSERT INTO account_holder (id, provider_id, external_id, email, data)
    VALUES (CAST(:id AS text), CAST(:provider_id AS text), CAST(:external_id AS text), CAST(:email AS text), CAST(:data AS jsonb))
    ON CONFLICT (provider_id, external_id) WHERE deleted_at IS NULL
    DO UPDATE SET data = EXCLUDED.data, email = coalesce(EXCLUDED.email, account_holder.email), updated_at = clock_timestamp()
    RETURNING id
""")
)

# -- settling

# The provider was asked for the money and didn't answer.
DOUBT = compiled(
    text("""
    UPDATE payment_session SET doubted_at = now(), settle_at = now(), updated_at = clock_timestamp() WHERE id = CAST(:id AS text)
""")
)

# Something is held in a session that was dropped already, or may be.
OWE = compiled(text("UPDATE payment_session SET settle_at = now() WHERE id = CAST(:id AS text) AND deleted_at IS NOT NULL"))

# What nobody has claimed for an order isn't wanted any more. The row decides: a claim that came first leaves nothing to let go.
LET_GO = compiled(
    text("""
    UPDATE payment_session SET deleted_at = now(), settle_at = now(), updated_at = clock_timestamp()
    WHERE id = CAST(:id AS text) AND deleted_at IS NULL AND settle_at IS NOT NULL
    RETURNING id
""")
)

# Looked at; `again` seconds from now somebody has to look once more, or nobody has to. Does nothing where something happened meanwhile.
LOOKED = compiled(
    text("""
    UPDATE payment_session
    SET settle_at = now() + CAST(:again AS double precision) * interval '1 second'
    WHERE id = CAST(:id AS text) AND settle_at = CAST(:seen AS timestamptz)
""")
)

UNSETTLED = compiled(
    text("""
    SELECT id, settle_at FROM payment_session
    WHERE settle_at < now() - CAST(:grace AS double precision) * interval '1 second' AND settle_begun IS DISTINCT FROM settle_at
    ORDER BY settle_at LIMIT CAST(:limit AS integer)
""")
)

# An execution sees to these, as they were due.
BEGUN = compiled(
    text("""
    UPDATE payment_session SET settle_begun = settle_at
    FROM unnest(CAST(:ids AS text[]), CAST(:due AS timestamptz[])) AS begun (id, due)
    WHERE payment_session.id = begun.id AND payment_session.settle_at = begun.due
""")
)

# -- what merchants press

# How often a merchant was shown that something of this kind was done for a payment.
PRESSES = compiled(
    text("""
    SELECT count(*) FROM payment_operation
    WHERE payment_id = CAST(:payment_id AS text) AND kind = CAST(:kind AS text) AND shown
""")
)

SHOWN = compiled(
    text("""
    UPDATE payment_operation SET shown = true
    WHERE payment_id = CAST(:payment_id AS text) AND kind = CAST(:kind AS text) AND state = 'done' AND NOT shown
""")
)
