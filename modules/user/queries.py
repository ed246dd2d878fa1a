"""Every statement of the user module beyond the kernel's."""

from __future__ import annotations

from sqlalchemy import Text, bindparam, select

from ...core.sql.db.compiled import compiled
from .tables import invite

LOCK_INVITE = compiled(
    select(invite.c.id, invite.c.accepted, invite.c.accepted_by, invite.c.expires_at)
    .where(invite.c.token == bindparam("token", type_=Text), invite.c.deleted_at.is_(None))
    .with_for_update()
)
