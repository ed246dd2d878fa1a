"""Statements of the payment module beyond what the kernel makes.

A collection with its sessions is written as a whole, guarded by the version that was read. Captures, refunds and operations
are rows: their writers hold the collection first, then the payment. Statements that read what belongs to a collection or
payment come after the statement that locks it: only then do they see what earlier holders of the lock have written. Or they are guarded
by the collection's version, which rises with whatever is booked in it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, insert, select, text, update

from ...core.sql.db.compiled import answering_text, compiled
from .tables import capture, payment, payment_collection

COLUMNS = (
    "amount",
    "currency_code",
    "authorized_amount",
    "captured_amount",
    "refunded_amount",
    "completed_at",
    "status",
    "order_id",
    "deleted_at",
)
"""Columns of a collection that a change sets. Further columns, by which it is found, follow from its sessions."""

_WRITTEN: dict[str, Any] = {
    **{
        name: bindparam(name, type_=payment_collection.c[name].type)
        for name in (*COLUMNS, "updated_at", "document", "document_schema", "session_ids", "settle_at")
    },
    "version": payment_collection.c.version + 1,
}
_WRITING = (
    update(payment_collection)
    .where(payment_collection.c.id == bindparam("id"), payment_collection.c.version == bindparam("expected"))
    .values(**_WRITTEN)
)

WRITE = compiled(_WRITING.returning(payment_collection.c.version))
"""Write a collection that is as it was read (`expected`). Gives the new version; otherwise no row, and nothing is written."""


def _given(name: str, column: Any) -> Any:
    return bindparam(name, type_=column.type)


_AUTHORIZED = (
    "amount", "currency_code", "provider_id", "data", "captured_at", "payment_collection_id", "payment_session_id", "created_at",
)  # fmt: skip


def _book() -> Any:
    written = _WRITING.returning(payment_collection.c.version, payment_collection.c.id).cte("written")
    names = ("id", *_AUTHORIZED, "updated_at")
    given = [_given(f"payment_{name}", payment.c[name]) for name in names]
    paid = insert(payment).from_select(names, select(*given).select_from(written)).returning(payment.c.id).cte("paid")
    id, amount = (_given(f"capture_{name}", capture.c[name]) for name in ("id", "amount"))
    at = _given("payment_created_at", payment.c.created_at)
    taken = select(id, amount, paid.c.id, at, at).where(amount.is_not(None))
    captured = insert(capture).from_select(("id", "amount", "payment_id", "created_at", "updated_at"), taken)
    return select(written.c.version).add_cte(captured.cte("captured"))


BOOK = compiled(_book())
"""`WRITE`, with the payment that a provider has authorised (parameters `payment_…`) and its capture, if there is one (`capture_…`)."""

_OPENED = """
    INSERT INTO payment_collection (
        id, order_id, payer_key, currency_code, amount, metadata, created_at, updated_at, document, document_schema, session_ids
    )
    VALUES (
        CAST(:id AS text), CAST(:order_id AS text), CAST(:payer_key AS text), CAST(:currency_code AS text), CAST(:amount AS numeric),
        CAST(:metadata AS jsonb), CAST(:now AS timestamptz), CAST(:now AS timestamptz), CAST(:document AS json),
        CAST(:document_schema AS smallint), '{}'
    )
"""

# Gives the id, and the time as it is shown (`created_at`).
OPEN = answering_text(
    opened=f"""
        {_OPENED}
        RETURNING json_build_object(
            'id', id, 'created_at', CAST(:created_at AS text), 'updated_at', CAST(:created_at AS text)
        ) AS opened
    """
)

# One that comes from another shop, as it is there.
ADOPT_COLLECTION = compiled(
    insert(payment_collection).values(
        {column.name: bindparam(column.name, type_=column.type) for column in payment_collection.c if column.name != "version"}
    )
)

# One collection for each payer, also under concurrency.
COLLECTION_FOR = compiled(
    text(f"""
    {_OPENED}
    ON CONFLICT (payer_key) DO UPDATE SET deleted_at = NULL, version = payment_collection.version + 1
    RETURNING id, amount, currency_code
""")
)

# For an order with nothing to pay.
ASSIGN = compiled(
    text("""
    UPDATE payment_collection SET order_id = CAST(:order_id AS text), version = version + 1, updated_at = clock_timestamp()
    WHERE id = CAST(:id AS text) AND order_id IS NULL
""")
)

UNASSIGN = compiled(
    text("""
    UPDATE payment_collection SET order_id = NULL, version = version + 1, updated_at = clock_timestamp()
    WHERE id = CAST(:id AS text) AND order_id = CAST(:order_id AS text)
""")
)


def _restating(canceled: str = "NULL", captured: str = "0", refunded: str = "0") -> str:
    """CTEs: `next` has what a collection's amounts and its status (`books.restate`) are, besides what is being booked of the payment
    `:payment_id`, and the version for which that holds."""
    return f"""
    sums AS (
        SELECT
            (SELECT coalesce(sum(amount), 0) FROM payment
             WHERE payment_collection_id = CAST(:collection_id AS text) AND deleted_at IS NULL AND canceled_at IS NULL
               AND id IS DISTINCT FROM {canceled}) AS authorized,
            {captured} + (SELECT coalesce(sum(capture.amount), 0) FROM capture JOIN payment ON payment.id = capture.payment_id
             WHERE payment.payment_collection_id = CAST(:collection_id AS text) AND capture.deleted_at IS NULL) AS captured,
            {refunded} + (SELECT coalesce(sum(refund.amount), 0) FROM refund JOIN payment ON payment.id = refund.payment_id
             WHERE payment.payment_collection_id = CAST(:collection_id AS text) AND refund.deleted_at IS NULL) AS refunded,
            EXISTS (SELECT FROM payment_session WHERE root_id = CAST(:collection_id AS text) AND deleted_at IS NULL) AS has_sessions
    ), next AS MATERIALIZED (
        SELECT id, version, authorized, captured, refunded,
            CASE
                WHEN status = 'canceled' AND order_id IS NOT NULL THEN 'canceled'
                WHEN captured > 0 AND captured >= amount THEN 'completed'
                WHEN authorized > 0 AND authorized >= amount THEN 'authorized'
                WHEN authorized > 0 THEN 'partially_authorized'
                WHEN status = 'canceled' THEN 'canceled'
                WHEN has_sessions THEN 'awaiting'
                ELSE 'not_paid'
            END AS status
        FROM payment_collection, sums
        WHERE id = CAST(:collection_id AS text) AND deleted_at IS NULL
    )"""


_RESTATED = """
    UPDATE payment_collection AS collection
    SET authorized_amount = next.authorized, captured_amount = next.captured, refunded_amount = next.refunded, status = next.status,
        completed_at = CASE WHEN next.status = 'completed' THEN coalesce(collection.completed_at, now()) END,
        version = collection.version + 1, updated_at = clock_timestamp()
    FROM next"""

# The amounts of a collection, and the status that follows from them. Run with the collection locked.
REFRESH_COLLECTION = compiled(text(f"WITH {_restating()} {_RESTATED} WHERE collection.id = next.id"))

LOCK_PAYMENT = compiled(
    text("""
    SELECT id, amount, currency_code, provider_id, data, captured_at, canceled_at, payment_collection_id, payment_session_id
    FROM payment WHERE id = CAST(:id AS text) AND deleted_at IS NULL FOR NO KEY UPDATE
""")
)

# `LOCK_PAYMENT` that locks the payment's collection first: the join gives a row only once the collection is locked.
LOCK_BOTH = compiled(
    text("""
    WITH collection AS MATERIALIZED (
        SELECT id FROM payment_collection WHERE id = CAST(:collection_id AS text) AND deleted_at IS NULL FOR NO KEY UPDATE
    )
    SELECT payment.id, amount, currency_code, provider_id, data, captured_at, canceled_at, payment_collection_id, payment_session_id
    FROM collection JOIN payment ON payment.payment_collection_id = collection.id
    WHERE payment.id = CAST(:id AS text) AND payment.deleted_at IS NULL
    FOR NO KEY UPDATE OF payment
""")
)

# The state of a locked payment: what was captured and refunded, and the pending operations.
_STANDING = """
    SELECT
        (SELECT coalesce(sum(amount), 0) FROM capture WHERE payment_id = CAST(:id AS text) AND deleted_at IS NULL) AS captured,
        (SELECT coalesce(sum(amount), 0) FROM refund WHERE payment_id = CAST(:id AS text) AND deleted_at IS NULL) AS refunded,
        coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0) AS capturing,
        coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunding,
        count(*) FILTER (WHERE kind = 'cancel') > 0 AS canceling
    FROM payment_operation
    WHERE payment_id = CAST(:id AS text) AND state = 'pending'
"""
STANDING = compiled(text(_STANDING))

# The same, and as `begun`, in the order of their time, operations begun with the caller's key, and pending ones whose process never booked
# an answer.
STANDING_AND_BEGUN = compiled(
    text(f"""
    SELECT standing.*, (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', id, 'payment_id', payment_id, 'kind', kind, 'state', state, 'amount', amount, 'details', details,
            'mine', coalesce(kind = CAST(:kind AS text) AND request_key = CAST(:request_key AS text), false)
        ) ORDER BY created_at, id), '[]')
        FROM payment_operation
        WHERE payment_id = CAST(:id AS text)
          AND ((kind = CAST(:kind AS text) AND request_key = CAST(:request_key AS text) AND state <> 'failed')
               OR (state = 'pending' AND created_at < now() - CAST(:patience AS double precision) * interval '1 second'))
    ) AS begun
    FROM ({_STANDING}) AS standing
""")
)

BEGIN_OPERATION = compiled(
    text("""
    INSERT INTO payment_operation (id, payment_id, kind, amount, request_key, details)
    VALUES (CAST(:id AS text), CAST(:payment_id AS text), CAST(:kind AS text), CAST(:amount AS numeric), CAST(:request_key AS text),
            CAST(:details AS jsonb))
""")
)

# The first answer counts; a later one finds the operation no longer pending.
FAIL_OPERATION = compiled(
    text("""
    UPDATE payment_operation SET state = 'failed', failure = CAST(:failure AS text), updated_at = clock_timestamp()
    WHERE id = CAST(:id AS text) AND state = 'pending'
""")
)

BOOK_CAPTURE = compiled(
    text("""
    INSERT INTO capture (id, amount, payment_id, created_by, metadata)
    VALUES (CAST(:id AS text), CAST(:amount AS numeric), CAST(:payment_id AS text), CAST(:created_by AS text), CAST(:metadata AS jsonb))
""")
)

_IF = "CASE WHEN CAST(:kind AS text) = '{}' THEN {} ELSE {} END"
_MOVED = "CAST(:amount AS numeric)"

# The end of an operation with its capture or refund, the provider's data, whether the payment is fully captured or cancelled, and what that
# makes of its collection. What this statement books isn't among the sums that it reads, and they are right for the version of the
# collection that it sees: where another writer has passed it meanwhile nothing is booked (`passed`), and it is to be run again. Nor is
# anything where the operation has ended before (`ended`) or the collection is gone (`gone`).
BOOK_OPERATION = compiled(
    text(f"""
    WITH held AS MATERIALIZED (
        SELECT id FROM payment_operation WHERE id = CAST(:id AS text) AND state = 'pending' FOR NO KEY UPDATE
    ), {
        _restating(
            canceled=_IF.format("cancel", "CAST(:payment_id AS text)", "NULL"),
            captured=_IF.format("capture", _MOVED, "0"),
            refunded=_IF.format("refund", _MOVED, "0"),
        )
    }, booked AS (
        {_RESTATED}, held
        WHERE collection.id = next.id AND collection.version = next.version
        RETURNING held.id
    ), ended AS (
        UPDATE payment_operation SET state = 'done', failure = NULL, updated_at = clock_timestamp()
        FROM booked WHERE payment_operation.id = booked.id
    ), captured AS (
        INSERT INTO capture (id, amount, payment_id, created_by, metadata)
        SELECT CAST(:row_id AS text), {_MOVED}, CAST(:payment_id AS text), CAST(:created_by AS text), CAST(:metadata AS jsonb)
        FROM booked WHERE CAST(:kind AS text) = 'capture'
    ), refunded AS (
        INSERT INTO refund (id, amount, payment_id, refund_reason_id, note, created_by, metadata)
        SELECT CAST(:row_id AS text), {_MOVED}, CAST(:payment_id AS text), CAST(:refund_reason_id AS text), CAST(:note AS text),
               CAST(:created_by AS text), CAST(:metadata AS jsonb)
        FROM booked WHERE CAST(:kind AS text) = 'refund'
    ), paid AS (
        UPDATE payment
        SET data = CAST(:data AS jsonb), updated_at = clock_timestamp(),
            canceled_at = CASE WHEN CAST(:kind AS text) = 'cancel' THEN coalesce(canceled_at, now()) ELSE canceled_at END,
            captured_at = CASE
                WHEN CAST(:kind AS text) = 'capture' AND amount <= {_MOVED} + (
                    SELECT coalesce(sum(capture.amount), 0) FROM capture
                    WHERE capture.payment_id = payment.id AND capture.deleted_at IS NULL
                ) THEN coalesce(captured_at, now())
                ELSE captured_at
            END
        FROM booked
        WHERE payment.id = CAST(:payment_id AS text)
    )
    SELECT CASE
        WHEN EXISTS (SELECT FROM booked) THEN 'booked'
        WHEN NOT EXISTS (SELECT FROM held) THEN 'ended'
        WHEN EXISTS (SELECT FROM next) THEN 'passed'
        ELSE 'gone'
    END
""")
)

# After a capture outside: the provider's data, and whether the payment is fully captured.
BOOK_PAYMENT = compiled(
    text("""
    UPDATE payment
    SET data = CAST(:data AS jsonb), updated_at = clock_timestamp(),
        captured_at = CASE
            WHEN amount <= (
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

# -- repeated requests of merchants

# How many operations of this kind on a payment a merchant had been shown by then. Times are rounded down: what was shown before counts.
PRESSES = compiled(
    text("""
    SELECT count(*) FROM payment_operation
    WHERE payment_id = CAST(:payment_id AS text) AND kind = CAST(:kind AS text) AND state <> 'failed' AND shown
      AND updated_at <= clock_timestamp() - make_interval(secs => CAST(:ago AS float8))
""")
)

SHOWN = compiled(
    text("""
    UPDATE payment_operation SET shown = true, updated_at = date_trunc('milliseconds', clock_timestamp())
    WHERE payment_id = CAST(:payment_id AS text) AND kind = CAST(:kind AS text) AND state = 'done' AND NOT shown
""")
)
