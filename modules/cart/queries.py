"""Every statement of the cart module beyond what the kernel makes.

A change of a cart is one statement: a guard that raises the cart's version, and beside it, only if the guard holds, every row that is
created, replaced or removed. Which parts a change has decides the text, so there are few texts, and each is compiled once.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import CTE, Table, bindparam, delete, func, insert, literal_column, select, update

from ...core.sql.compiled import Answering, answering, any_of, compiled
from ...core.sql.recordset import insert_rows
from ...core.sql.values import shown_time
from .change import COLUMNS
from .tables import (
    cart,
    cart_address,
    cart_line_item,
    cart_line_item_adjustment,
    cart_line_item_tax_line,
    cart_shipping_method,
    cart_shipping_method_adjustment,
    cart_shipping_method_tax_line,
)

KEPT = {"addresses": cart_address, "items": cart_line_item, "shipping_methods": cart_shipping_method}
"""Parts of a change that create rows, or replace those whose id is known."""
GONE = {"gone_items": cart_line_item, "gone_shipping_methods": cart_shipping_method}
"""Parts that name rows to remove."""
REPLACED = {
    "item_tax_lines": (cart_line_item_tax_line, cart_line_item, "item_id"),
    "shipping_method_tax_lines": (cart_shipping_method_tax_line, cart_shipping_method, "shipping_method_id"),
    "item_adjustments": (cart_line_item_adjustment, cart_line_item, "item_id"),
    "shipping_method_adjustments": (cart_shipping_method_adjustment, cart_shipping_method, "shipping_method_id"),
}
"""Parts that replace what all lines of the cart have: table, whose rows they belong to, and by which column."""
PARTS = (*KEPT, *GONE, *REPLACED)

_AS_READ = (cart.c.id == bindparam("id")) & (cart.c.version == bindparam("expected")) & cart.c.deleted_at.is_(None)
_OPEN = cart.c.completed_at.is_(None)
_NEXT = {"version": cart.c.version + 1, "updated_at": func.now()}


def _columns() -> dict[str, Any]:
    return {name: bindparam(name, type_=cart.c[name].type) for name in COLUMNS}


@cache
def opening(parts: frozenset[str]) -> Answering:
    """Create a cart with these parts. Parameters: `id`, those of `change.COLUMNS`, and each part's rows. Gives its `version` and
    the time, `at`."""
    values = {"id": bindparam("id", type_=cart.c.id.type), **_columns()}
    return _guarded(insert(cart).values(values).returning(cart.c.id, cart.c.version, cart.c.updated_at).cte("guard"), parts)


@cache
def changing(parts: frozenset[str]) -> Answering:
    """Change a cart that is as it was read and still open. Parameters as of `opening`, and the version that is `expected`.

    Gives the new `version` and the time, `at`; no row where the guard doesn't hold: then nothing is written.
    """
    return _guarded(
        update(cart).where(_AS_READ, _OPEN).values(_columns() | _NEXT).returning(cart.c.id, cart.c.version, cart.c.updated_at).cte("guard"),
        parts,
    )


COMPLETE = answering(update(cart).where(_AS_READ, _OPEN).values(completed_at=func.now(), **_NEXT).returning(cart.c.version))
"""Close a cart that is as it was read. Gives the new version, or no row."""

REOPEN = answering(
    update(cart)
    .where(cart.c.id == bindparam("id"), cart.c.version == bindparam("expected"), cart.c.completed_at.is_not(None))
    .values(completed_at=None, **_NEXT)
    .returning(cart.c.version)
)
"""Take back a completion that gave this version. Gives the new version, or no row."""

STATE = compiled(select(cart.c.version, cart.c.completed_at).where(cart.c.id == bindparam("id"), cart.c.deleted_at.is_(None)))
"""What to tell someone whose guard didn't hold."""


def _guarded(guard: CTE, parts: frozenset[str]) -> Answering:
    """The guard, and every part that hangs on it."""
    statement = select(
        func.json_build_object(literal_column("'version'"), guard.c.version, literal_column("'at'"), shown_time(guard.c.updated_at))
    )
    for name in PARTS:
        if name in parts:
            statement = statement.add_cte(*_part(name, guard))
    return answering(statement)


def _part(name: str, guard: CTE) -> list[CTE]:
    if name in KEPT:
        return [_keep(name, KEPT[name], guard)]
    if name in GONE:
        table = GONE[name]
        return [delete(table).where(any_of(table.c.id, name), table.c.cart_id == guard.c.id).cte(name)]
    table, owner, key = REPLACED[name]
    # The delete sees the owners as they were; the insert may name those that this very statement creates, for keys are checked at its end.
    old = delete(table).where(table.c[key] == owner.c.id, owner.c.cart_id == guard.c.id).cte(f"old_{name}")
    return [old, insert_rows(name, table, guard).cte(name)]


def _keep(name: str, table: Table, guard: CTE) -> CTE:
    owned = {"cart_id": guard.c.id} if "cart_id" in table.c else {}
    statement = insert_rows(name, table, guard, **owned)
    new = statement.excluded
    kept = {"id", "cart_id", "created_at", "deleted_at"}
    mine = table.c.cart_id == new.cart_id if owned else None
    return statement.on_conflict_do_update(
        index_elements=[table.c.id], set_={c.name: new[c.name] for c in table.c if c.name not in kept}, where=mine
    ).cte(name)
