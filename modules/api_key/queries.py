"""Every statement of the API key module beyond the kernel's."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Text, bindparam, func, or_, select, update

from ...core.sql.db.compiled import any_of, compiled
from .tables import api_key


def _active() -> ColumnElement[bool]:
    """A date of revocation in the future doesn't count yet."""
    return or_(api_key.c.revoked_at.is_(None), api_key.c.revoked_at > func.now())


_living = api_key.c.deleted_at.is_(None)

PUBLISHABLE = compiled(
    select(api_key.c.id, api_key.c.title)
    .where(api_key.c.type == "publishable", api_key.c.token == bindparam("token", type_=Text))
    .where(_living, _active())
)

CANDIDATES = compiled(
    select(api_key.c.id, api_key.c.salt, api_key.c.digest)
    .where(api_key.c.type == "secret", api_key.c.redacted == bindparam("redacted", type_=Text))
    .where(_living, _active())
)
"""Secret keys with the presented token's redacted form: one, hardly ever two."""

STILL_ACTIVE = compiled(
    select(api_key.c.id).where(any_of(api_key.c.id, "ids"), _living, _active()).order_by(api_key.c.id).with_for_update()
)

REVOKE = compiled(
    update(api_key)
    .values(
        revoked_at=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, bindparam("seconds")),
        revoked_by=bindparam("by", type_=Text),
        updated_at=func.now(),
    )
    .where(api_key.c.id == bindparam("id", type_=Text), _living)
    .where(or_(api_key.c.type == "publishable", api_key.c.revoked_at.is_(None)))
    .returning(api_key.c.id)
)
"""A secret key is revoked once: a repetition keeps the first date."""
