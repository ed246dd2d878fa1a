"""Every statement of the auth module beyond the kernel's."""

from __future__ import annotations

from sqlalchemy import Float, Integer, Text, bindparam, case, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from ...core.sql.db.compiled import compiled
from ...core.sql.schema.columns import Json, Timestamp
from .tables import auth_identity, auth_limit, auth_password_reset_token, auth_session, provider_identity

_now = func.now()
_living = provider_identity.c.deleted_at.is_(None)
_named = (
    provider_identity.c.entity_id == bindparam("entity_id", type_=Text),
    provider_identity.c.provider == bindparam("provider", type_=Text),
)

FIND = compiled(
    select(
        provider_identity.c.id,
        provider_identity.c.auth_identity_id,
        provider_identity.c.provider_metadata,
        auth_identity.c.secret_version,
    )
    .join(auth_identity, auth_identity.c.id == provider_identity.c.auth_identity_id)
    .where(*_named, _living, auth_identity.c.deleted_at.is_(None))
)
"""Secret and version are read together: proving an old secret proves the old version."""

KEEP = compiled(
    update(provider_identity)
    .values(provider_metadata=bindparam("secret", type_=Json), updated_at=_now)
    .where(*_named, _living)
    .returning(provider_identity.c.auth_identity_id)
)

_identity = auth_identity.c.id == bindparam("id", type_=Text)

RENEW_SECRET = compiled(update(auth_identity).values(secret_version=auth_identity.c.secret_version + 1, updated_at=_now).where(_identity))

STANDING = compiled(
    select(auth_identity.c.secret_version, auth_identity.c.app_metadata).where(_identity, auth_identity.c.deleted_at.is_(None))
)

LOCK_IDENTITY = compiled(
    select(auth_identity.c.app_metadata, auth_identity.c.secret_version)
    .where(_identity, auth_identity.c.deleted_at.is_(None))
    .with_for_update()
)

LINKED = compiled(
    select(auth_identity.c.id).where(
        auth_identity.c.app_metadata.contains(bindparam("linked", type_=Json)), auth_identity.c.deleted_at.is_(None)
    )
)
"""Identities by the actors they are linked to."""

CHANGE_EMAIL = compiled(
    text("""
    UPDATE provider_identity AS named SET entity_id = CAST(:new AS text), updated_at = now()
    FROM auth_identity AS identity
    WHERE identity.id = named.auth_identity_id
      AND named.entity_id = CAST(:email AS text) AND named.provider = ANY(CAST(:providers AS text[]))
      AND identity.app_metadata ->> CAST(:key AS text) = CAST(:actor_id AS text)
      AND jsonb_strip_nulls(identity.app_metadata) - CAST(:key AS text) = '{}'
      AND named.deleted_at IS NULL AND identity.deleted_at IS NULL
    RETURNING named.auth_identity_id
""")
)

OPEN_SESSION = compiled(
    insert(auth_session).values(
        id=bindparam("id", type_=Text),
        auth_identity_id=bindparam("auth_identity_id", type_=Text),
        data=bindparam("data", type_=Json),
        expires_at=bindparam("expires_at", type_=Timestamp),
        ends_at=bindparam("ends_at", type_=Timestamp),
        created_at=_now,
    )
)

SESSION = compiled(
    select(auth_session.c.data, auth_session.c.expires_at, auth_session.c.ends_at).where(
        auth_session.c.id == bindparam("id", type_=Text), auth_session.c.expires_at > _now
    )
)

EXTEND_SESSION = compiled(
    update(auth_session)
    .values(expires_at=func.least(bindparam("until", type_=Timestamp), auth_session.c.ends_at))
    .where(auth_session.c.id == bindparam("id", type_=Text), auth_session.c.expires_at > _now)
)

CLOSE_SESSION = compiled(delete(auth_session).where(auth_session.c.id == bindparam("id", type_=Text)).returning(auth_session.c.id))

CLOSE_SESSIONS_OF = compiled(
    delete(auth_session).where(auth_session.c.auth_identity_id == bindparam("id", type_=Text)).returning(auth_session.c.id)
)

FORGET_SESSIONS = compiled(
    delete(auth_session).where(
        auth_session.c.id.in_(select(auth_session.c.id).where(auth_session.c.expires_at < _now).limit(50).with_for_update(skip_locked=True))
    )
)
"""Each new session removes a few expired ones."""

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

FORGET_RESETS_OF = compiled(
    delete(auth_password_reset_token).where(auth_password_reset_token.c.auth_identity_id == bindparam("id", type_=Text))
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

_open_word = (
    auth_password_reset_token.c.token_hash == bindparam("token_hash", type_=Text),
    auth_password_reset_token.c.expires_at > _now,
    auth_password_reset_token.c.provider_identity_id.in_(select(provider_identity.c.id).where(*_named, _living)),
)

IS_OPEN = compiled(select(auth_password_reset_token.c.id).where(*_open_word))

USE_RESET = compiled(delete(auth_password_reset_token).where(*_open_word).returning(auth_password_reset_token.c.id))
"""The caller that deletes the row may reset the password: no other caller finds it."""


_clock = func.clock_timestamp()
_use = auth_limit.c.id == bindparam("id", type_=Text)
_new = insert(auth_limit).values(
    id=bindparam("id", type_=Text),
    uses=func.greatest(bindparam("amount", type_=Integer), 0),
    expires_at=_clock + func.make_interval(0, 0, 0, 0, 0, 0, bindparam("seconds", type_=Float)),
)
_over = auth_limit.c.expires_at <= _clock

COUNT_USE = compiled(
    _new.on_conflict_do_update(
        index_elements=[auth_limit.c.id],
        set_={
            "uses": case((_over, _new.excluded.uses), else_=func.greatest(auth_limit.c.uses + bindparam("amount", type_=Integer), 0)),
            "expires_at": case((_over, _new.excluded.expires_at), else_=auth_limit.c.expires_at),
        },
    )
    .add_cte(
        delete(auth_limit)
        .where(
            auth_limit.c.id.in_(
                select(auth_limit.c.id)
                .where(
                    auth_limit.c.expires_at < _clock - func.make_interval(0, 0, 0, 0, 0, 1), auth_limit.c.id != bindparam("id", type_=Text)
                )
                .limit(10)
                .with_for_update(skip_locked=True)
            )
        )
        .cte("gone")
    )
    .returning(auth_limit.c.uses)
)
"""A window begins with its first use. Each use removes a few expired windows."""

USES = compiled(
    select(auth_limit.c.uses, func.extract("epoch", auth_limit.c.expires_at - _clock).cast(Float).label("seconds")).where(
        _use, auth_limit.c.expires_at > _clock
    )
)

FORGET_USES = compiled(delete(auth_limit).where(_use))
