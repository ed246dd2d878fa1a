"""Every statement of the cart module beyond what the kernel makes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from ...core.sql.db.compiled import answering, compiled
from .tables import COLUMNS, cart

_AS_READ = (cart.c.id == bindparam("id")) & (cart.c.version == bindparam("expected")) & cart.c.deleted_at.is_(None)
_OPEN = cart.c.completed_at.is_(None)
_NEXT = cart.c.version + 1
_WRITTEN: dict[str, Any] = {
    **{name: bindparam(name, type_=cart.c[name].type) for name in (*COLUMNS, "updated_at", "document", "document_schema", "variant_ids")},
}

OPEN = answering(
    insert(cart)
    .values(id=bindparam("id", type_=cart.c.id.type), created_at=bindparam("created_at", type_=cart.c.created_at.type), **_WRITTEN)
    .returning(cart.c.version)
)
"""Create a cart. Gives its version."""

CHANGE = answering(update(cart).where(_AS_READ, _OPEN).values(version=_NEXT, **_WRITTEN).returning(cart.c.version))
"""Write a cart that is as it was read (`expected`) and still open. Gives the new version; otherwise no row, and nothing is written."""

COMPLETE = answering(
    update(cart)
    .where(_AS_READ, _OPEN)
    .values(completed_at=func.now(), order_id=bindparam("order_id", type_=cart.c.order_id.type), version=_NEXT, updated_at=func.now())
    .returning(cart.c.version)
)
"""Close a cart that is as it was read, for an order. Gives the new version, or no row."""

REOPEN = answering(
    update(cart)
    .where(cart.c.id == bindparam("id"), cart.c.version == bindparam("expected"), cart.c.completed_at.is_not(None))
    .values(completed_at=None, order_id=None, version=_NEXT, updated_at=func.now())
    .returning(cart.c.version)
)
"""Undo the completion that gave this version. Gives the new version, or no row."""

STATE = compiled(select(cart.c.version, cart.c.completed_at).where(cart.c.id == bindparam("id"), cart.c.deleted_at.is_(None)))
"""Why a guard didn't match."""
