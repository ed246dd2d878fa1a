"""Statements of the store module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import compiled

ONE_AT_A_TIME = compiled(text("SELECT pg_advisory_xact_lock(hashtext('velella.store.default'))"))

LOCK_STORES = compiled(text("SELECT id FROM store WHERE id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL ORDER BY id FOR UPDATE"))
