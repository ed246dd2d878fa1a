"""Every statement of the auth module beyond the kernel's."""

from __future__ import annotations

from sqlalchemy import Float, Integer, Text, bindparam, case, delete, func, null, select, text, update
from sqlalchemy.dialects.postgresql import insert

from ...core.sql.db.compiled import compiled
from ...core.sql.schema.columns import Json, Timestamp
from .tables import (
    auth_identity,
    auth_limit,
    auth_mfa_challenge,
    auth_mfa_factor,
    auth_mfa_recovery_code,
    auth_password_reset_token,
    auth_session,
    auth_state,
    auth_verification,
    provider_identity,
)

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
    select(auth_identity.c.app_metadata, auth_identity.c.secret_version, auth_identity.c.mfa_enabled)
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
                    auth_limit.c.expires_at < _now - func.make_interval(0, 0, 0, 0, 0, 1), auth_limit.c.id != bindparam("id", type_=Text)
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


# -- signing in elsewhere

DESCRIBE = compiled(
    update(provider_identity)
    .values(user_metadata=bindparam("user_metadata", type_=Json), verified_email=bindparam("verified_email", type_=Text), updated_at=_now)
    .where(
        *_named,
        _living,
        provider_identity.c.user_metadata.is_distinct_from(bindparam("user_metadata", type_=Json))
        | provider_identity.c.verified_email.is_distinct_from(bindparam("verified_email", type_=Text)),
    )
    .returning(provider_identity.c.auth_identity_id)
)

KEEP_STATE = compiled(
    insert(auth_state).values(
        id=bindparam("id", type_=Text),
        provider=bindparam("provider", type_=Text),
        data=bindparam("data", type_=Json),
        expires_at=bindparam("expires_at", type_=Timestamp),
    )
)

USE_STATE = compiled(
    delete(auth_state)
    .where(
        auth_state.c.id == bindparam("id", type_=Text),
        auth_state.c.provider == bindparam("provider", type_=Text),
        auth_state.c.expires_at > _now,
    )
    .returning(auth_state.c.data)
)
"""Of two who come back with one word one finds the row."""

FORGET_STATES = compiled(
    delete(auth_state).where(
        auth_state.c.id.in_(select(auth_state.c.id).where(auth_state.c.expires_at < _now).limit(50).with_for_update(skip_locked=True))
    )
)

# -- second factors

_factor = auth_mfa_factor.c.id == bindparam("id", type_=Text)
_step = auth_mfa_factor.c.provider_metadata["last_step"].astext.cast(Integer)

FACTOR = compiled(
    select(auth_mfa_factor.c.id, auth_mfa_factor.c.status, auth_mfa_factor.c.provider, auth_mfa_factor.c.provider_metadata).where(
        auth_mfa_factor.c.auth_identity_id == bindparam("identity_id", type_=Text),
        (auth_mfa_factor.c.id == bindparam("id", type_=Text)) | bindparam("id", type_=Text).is_(None),
        (auth_mfa_factor.c.status == "enabled") | bindparam("id", type_=Text).is_not(None),
        auth_mfa_factor.c.deleted_at.is_(None),
    )
)
"""A factor by its id, or without one the factor that is enabled."""

USE_STEP = compiled(
    update(auth_mfa_factor)
    .values(
        provider_metadata=auth_mfa_factor.c.provider_metadata.op("||")(
            func.jsonb_build_object("last_step", bindparam("step", type_=Integer))
        ),
        status=case((auth_mfa_factor.c.status == "pending", "enabled"), else_=auth_mfa_factor.c.status),
        updated_at=_now,
    )
    .where(_factor, auth_mfa_factor.c.status != "disabled", func.coalesce(_step, 0) < bindparam("step", type_=Integer))
    .returning(auth_mfa_factor.c.id)
)
"""Of two uses of one code one finds the row."""

_factor_of = auth_mfa_factor.c.auth_identity_id == bindparam("identity_id", type_=Text)
_disabled = auth_mfa_factor.c.status == "disabled"

DISABLE_FACTORS = compiled(
    update(auth_mfa_factor)
    .values(status="disabled", updated_at=_now)
    .where(_factor_of, _factor | bindparam("id", type_=Text).is_(None), ~_disabled)
    .add_cte(
        delete(auth_mfa_factor)
        .where(
            _factor_of,
            _disabled,
            auth_mfa_factor.c.id.not_in(
                select(auth_mfa_factor.c.id)
                .where(_factor_of, _disabled)
                .order_by(auth_mfa_factor.c.updated_at.desc(), auth_mfa_factor.c.id.desc())
                .limit(bindparam("kept", type_=Integer))
            ),
        )
        .cte("gone")
    )
    .returning(auth_mfa_factor.c.id)
)
"""One factor, or without an id all of an identity. Those that were disabled long before are forgotten."""

FORGET_PENDING = compiled(
    delete(auth_mfa_factor).where(_factor_of, _factor, auth_mfa_factor.c.status == "pending").returning(auth_mfa_factor.c.id)
)

_has_factor = (
    select(auth_mfa_factor.c.id)
    .where(
        auth_mfa_factor.c.auth_identity_id == bindparam("id", type_=Text),
        auth_mfa_factor.c.status == "enabled",
        auth_mfa_factor.c.deleted_at.is_(None),
    )
    .exists()
)

SET_MFA = compiled(
    update(auth_identity).values(mfa_enabled=_has_factor, updated_at=_now).where(_identity).returning(auth_identity.c.mfa_enabled)
)

_code_of = auth_mfa_recovery_code.c.auth_identity_id == bindparam("id", type_=Text)

HAS_RECOVERY_CODES = compiled(select(auth_mfa_recovery_code.c.id).where(_code_of).limit(1))

FORGET_RECOVERY_CODES = compiled(delete(auth_mfa_recovery_code).where(_code_of))

KEEP_RECOVERY_CODES = compiled(
    text("""
    INSERT INTO auth_mfa_recovery_code (id, auth_identity_id, code_hash, created_at)
    SELECT row.id, CAST(:id AS text), row.code_hash, now()
    FROM unnest(CAST(:ids AS text[]), CAST(:hashes AS text[])) AS row (id, code_hash)
""")
)

USE_RECOVERY_CODE = compiled(
    delete(auth_mfa_recovery_code)
    .where(_code_of, auth_mfa_recovery_code.c.code_hash == bindparam("code_hash", type_=Text), _has_factor)
    .returning(auth_mfa_recovery_code.c.id)
)
"""The caller that deletes the row has used the code: no other caller finds it."""

BEGIN_CHALLENGE = compiled(
    insert(auth_mfa_challenge).values(
        id=bindparam("id", type_=Text),
        auth_identity_id=bindparam("auth_identity_id", type_=Text),
        actor_type=bindparam("actor_type", type_=Text),
        auth_provider=bindparam("auth_provider", type_=Text),
        methods=bindparam("methods", type_=auth_mfa_challenge.c.methods.type),
        max_attempts=bindparam("max_attempts", type_=Integer),
        expires_at=bindparam("expires_at", type_=Timestamp),
    )
)

FORGET_CHALLENGES = compiled(
    delete(auth_mfa_challenge).where(
        auth_mfa_challenge.c.id.in_(
            select(auth_mfa_challenge.c.id).where(auth_mfa_challenge.c.expires_at < _now).limit(50).with_for_update(skip_locked=True)
        )
    )
)

_challenge = (
    auth_mfa_challenge.c.id == bindparam("id", type_=Text),
    auth_mfa_challenge.c.auth_identity_id == bindparam("identity_id", type_=Text),
    auth_mfa_challenge.c.actor_type == bindparam("actor_type", type_=Text),
    auth_mfa_challenge.c.auth_provider == bindparam("auth_provider", type_=Text),
)

CHALLENGE = compiled(select(auth_mfa_challenge).where(*_challenge))

TRY_CHALLENGE = compiled(
    update(auth_mfa_challenge)
    .values(attempts=auth_mfa_challenge.c.attempts + 1)
    .where(
        *_challenge,
        auth_mfa_challenge.c.completed_at.is_(None),
        auth_mfa_challenge.c.expires_at > _now,
        auth_mfa_challenge.c.attempts < auth_mfa_challenge.c.max_attempts,
    )
    .returning(auth_mfa_challenge.c.attempts)
)
"""Counted before the code is looked at, so that concurrent attempts don't exceed the limit."""

COMPLETE_CHALLENGE = compiled(
    update(auth_mfa_challenge)
    .values(completed_at=_now)
    .where(*_challenge, auth_mfa_challenge.c.completed_at.is_(None))
    .returning(auth_mfa_challenge.c.id)
)

# -- verified addresses

REQUEST_VERIFICATION = compiled(
    text("""
    INSERT INTO auth_verification AS there
        (id, auth_identity_id, entity_id, entity_type, code_provider, requested_at, code_hash, metadata, created_at, updated_at)
    SELECT CAST(:id AS text), CAST(:identity_id AS text), CAST(:entity_id AS text), CAST(:entity_type AS text),
           CAST(:code_provider AS text), now(), CAST(:code_hash AS text), CAST(:metadata AS jsonb), now(), now()
    WHERE (SELECT count(*) FROM auth_verification AS other
           WHERE other.auth_identity_id = CAST(:identity_id AS text)
             AND (other.entity_id, other.entity_type) <> (CAST(:entity_id AS text), CAST(:entity_type AS text))
             AND (other.verified_at IS NOT NULL OR other.requested_at > now() - make_interval(secs => CAST(:seconds AS float8)))
          ) < CAST(:most AS integer)
    ON CONFLICT (auth_identity_id, entity_id, entity_type) DO UPDATE
        SET requested_at = now(), code_hash = excluded.code_hash, code_provider = excluded.code_provider, updated_at = now()
        WHERE there.verified_at IS NULL
    RETURNING there.id
""")
)
"""What is verified stays so, and gets no code. Nor does one that is too many."""

_code_lives = func.make_interval(0, 0, 0, 0, 0, 0, bindparam("seconds", type_=Float))

FORGET_VERIFICATIONS = compiled(
    delete(auth_verification).where(
        auth_verification.c.id.in_(
            select(auth_verification.c.id)
            .where(auth_verification.c.verified_at.is_(None), auth_verification.c.requested_at < _now - _code_lives)
            .limit(50)
            .with_for_update(skip_locked=True)
        )
    )
)
"""Each request removes a few that nobody has proven in time."""

CONFIRM_VERIFICATION = compiled(
    update(auth_verification)
    .values(verified_at=_now, code_hash=null(), updated_at=_now)
    .where(
        auth_verification.c.code_hash == bindparam("code_hash", type_=Text),
        auth_verification.c.verified_at.is_(None),
        auth_verification.c.requested_at > _now - _code_lives,
        auth_verification.c.code_provider == bindparam("code_provider", type_=Text),
    )
    .returning(auth_verification.c.id)
)
"""Of two uses of one code one finds the row."""
