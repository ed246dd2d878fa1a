"""Every statement of the auth module beyond the kernel's."""

from __future__ import annotations

from sqlalchemy import Text, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from ...core.sql.columns import Json, Timestamp
from ...core.sql.compiled import compiled
from .tables import auth_identity, auth_password_reset_token, auth_session, provider_identity

_now = func.now()
_living = provider_identity.c.deleted_at.is_(None)
_named = (
    provider_identity.c.entity_id == bindparam("entity_id", type_=Text),
    provider_identity.c.provider == bindparam("provider", type_=Text),
)

FIND = compiled(
    select(provider_identity.c.id, provider_identity.c.auth_identity_id, provider_identity.c.provider_metadata).where(*_named, _living)
)

KEEP = compiled(
    update(provider_identity)
    .values(provider_metadata=bindparam("secret", type_=Json), updated_at=_now)
    .where(*_named, _living)
    .returning(provider_identity.c.auth_identity_id)
)

LOCK_IDENTITY = compiled(
    select(auth_identity.c.app_metadata)
    .where(auth_identity.c.id == bindparam("id", type_=Text), auth_identity.c.deleted_at.is_(None))
    .with_for_update()
)

LINKED = compiled(
    select(auth_identity.c.id).where(
        auth_identity.c.app_metadata.contains(bindparam("linked", type_=Json)), auth_identity.c.deleted_at.is_(None)
    )
)
"""Identities by what they are linked to."""

OPEN_SESSION = compiled(
    insert(auth_session).values(
        id=bindparam("id", type_=Text),
        data=bindparam("data", type_=Json),
        expires_at=bindparam("expires_at", type_=Timestamp),
        created_at=_now,
    )
)

SESSION = compiled(
    select(auth_session.c.data, auth_session.c.expires_at).where(
        auth_session.c.id == bindparam("id", type_=Text), auth_session.c.expires_at > _now
    )
)

EXTEND_SESSION = compiled(
    update(auth_session)
    .values(expires_at=bindparam("until", type_=Timestamp))
    .where(auth_session.c.id == bindparam("id", type_=Text), auth_session.c.expires_at > _now)
)

CLOSE_SESSION = compiled(delete(auth_session).where(auth_session.c.id == bindparam("id", type_=Text)).returning(auth_session.c.id))

FORGET_SESSIONS = compiled(
    delete(auth_session).where(
        auth_session.c.id.in_(select(auth_session.c.id).where(auth_session.c.expires_at < _now).limit(50).with_for_update(skip_locked=True))
    )
)
"""A few of those that ran out go with each one that begins."""

FORGET_RESETS = compiled(
    delete(auth_password_reset_token).where(
        auth_password_reset_token.c.id.in_(
            select(auth_password_reset_token.c.id)
            .where(auth_password_reset_token.c.expires_at < _now)
            .limit(50)
            .with_for_update(skip_locked=True)
        )
    )
)

BEGIN_RESET = compiled(
    insert(auth_password_reset_token).values(
        id=bindparam("id", type_=Text),
        auth_identity_id=bindparam("auth_identity_id", type_=Text),
        provider_identity_id=bindparam("provider_identity_id", type_=Text),
        entity_id=bindparam("entity_id", type_=Text),
        token_hash=bindparam("token_hash", type_=Text),
        expires_at=bindparam("expires_at", type_=Timestamp),
    )
)

USE_RESET = compiled(
    delete(auth_password_reset_token)
    .where(
        auth_password_reset_token.c.token_hash == bindparam("token_hash", type_=Text),
        auth_password_reset_token.c.entity_id == bindparam("entity_id", type_=Text),
        auth_password_reset_token.c.expires_at > _now,
    )
    .returning(auth_password_reset_token.c.id)
)
"""Whoever deletes the row may reset the password: nobody else will find it."""
