"""Statements of the notification module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import compiled

# One row for each key, however often it is inserted.
BEGIN = compiled(
    text("""
    INSERT INTO notification (id, "to", "from", channel, template, data, provider_data, trigger_type, resource_id, resource_type,
        receiver_id, original_notification_id, idempotency_key, provider_id)
    VALUES (CAST(:id AS text), CAST(:to AS text), CAST(:from AS text), CAST(:channel AS text), CAST(:template AS text),
        CAST(:data AS jsonb), CAST(:provider_data AS jsonb),
        CAST(:trigger_type AS text), CAST(:resource_id AS text), CAST(:resource_type AS text),
        CAST(:receiver_id AS text), CAST(:original_notification_id AS text), CAST(:idempotency_key AS text), CAST(:provider_id AS text))
    ON CONFLICT (idempotency_key) WHERE deleted_at IS NULL DO UPDATE SET updated_at = notification.updated_at
    RETURNING id
""")
)

# The process that gets a row sends it; others leave it alone until `sending_until`.
CLAIM = compiled(
    text("""
    UPDATE notification
    SET sending_until = clock_timestamp() + CAST(:seconds AS double precision) * interval '1 second', attempts = attempts + 1,
        updated_at = clock_timestamp()
    WHERE id = CAST(:id AS text) AND status <> 'success' AND deleted_at IS NULL
      AND (sending_until IS NULL OR sending_until < clock_timestamp())
    RETURNING id
""")
)

END = compiled(
    text("""
    UPDATE notification
    SET status = CAST(:status AS text), external_id = CAST(:external_id AS text), failure = CAST(:failure AS text), sending_until = NULL,
        updated_at = clock_timestamp()
    WHERE id = CAST(:id AS text) AND status <> 'success'
""")
)
