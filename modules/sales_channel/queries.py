"""Statements of the sales channel module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import compiled

ONE_AT_A_TIME = compiled(text("SELECT pg_advisory_xact_lock(hashtext('velella.sales_channel.default'))"))
