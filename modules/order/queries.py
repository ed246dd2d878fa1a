"""Every statement of the order module beyond what the kernel makes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Text, bindparam, cast, delete, func, insert, select, update

from ...core.sql.db.compiled import SelfRecording, answering, any_of, compiled
from ...core.sql.write.recordset import insert_rows
from .after_sales import order_change, order_change_action, order_claim, order_exchange, return_
from .tables import COLUMNS, display_ids, order, order_version


def _given(name: str) -> Any:
    return bindparam(name, type_=order.c[name].type)


_WRITTEN: dict[str, Any] = {
    **{name: _given(name) for name in (*COLUMNS, "updated_at", "document", "document_schema", "variant_ids", "product_ids")},
}


def _placing() -> SelfRecording:
    number = select(display_ids.next_value().label("number")).subquery("drawn").c.number
    search = func.concat(number, bindparam("words", type_=Text))
    values = {"id": _given("id"), "created_at": _given("created_at"), **_WRITTEN, "display_id": number, "search": search}
    return answering(insert(order).from_select(list(values), select(*values.values())).returning(order.c.display_id))


PLACE = _placing()
"""Create an order. Gives the number that is drawn for it."""

ADOPT = compiled(
    insert(order).values(
        **_WRITTEN, **{name: _given(name) for name in ("id", "display_id", "custom_display_id", "created_at", "deleted_at", "search")}
    )
)

GO_ON_COUNTING = compiled(
    select(func.setval(display_ids.name, func.greatest(select(func.coalesce(func.max(order.c.display_id), 1)).scalar_subquery(), 1), True))
)
"""The next order has a higher number than all that are there."""

DISCARD = answering(delete(order).where(order.c.id == bindparam("id")).returning(order.c.id))
"""Remove an order as if it had never been, with its changes and former versions. Gives its id, or no row."""


def _changing(*, back: bool = False, confirming: bool = False) -> SelfRecording:
    """`back`: the version may also fall by one. `confirming`: an open change is confirmed with it."""
    former = order.alias("former")
    expected = bindparam("expected", type_=order.c.revision.type)
    as_read = [order.c.id == bindparam("id"), order.c.revision == expected, order.c.deleted_at.is_(None)]
    beside = []
    if confirming:  # the order is locked first, so that either is written, or neither
        held = select(order.c.id).where(*as_read).with_for_update(key_share=True).cte("held")
        confirmed = _confirmed().where(select(held.c.id).exists()).returning(order_change.c.id).cte("confirmed")
        of_it = (order_change_action.c.order_change_id == confirmed.c.id, order_change_action.c.deleted_at.is_(None))
        applied = update(order_change_action).where(*of_it).values(applied=True, version=_of_change("version"))
        beside.append(applied.values(updated_at=func.clock_timestamp()).cte("applied"))
        as_read.append(select(confirmed.c.id).exists())
    written = (
        update(order)
        .where(*as_read, former.c.id == order.c.id)
        .values(revision=order.c.revision + 1, search=_given("search"), **_WRITTEN)
        .returning(
            order.c.id,
            order.c.version,
            former.c.version.label("former_version"),
            former.c.document.label("former_document"),
            former.c.document_schema.label("former_schema"),
        )
        .cte("written")
    )
    fields = bindparam("former_fields", type_=order_version.c.fields.type)
    replaced = select(written.c.id, written.c.former_version, fields, written.c.former_document, written.c.former_schema).where(
        written.c.version > written.c.former_version
    )
    put_away = insert(order_version).from_select(["order_id", "version", "fields", "document", "document_schema"], replaced)
    withdrawn = any_of(order_change.c.id, "withdrawn") & order_change.c.deleted_at.is_(None) & (order_change.c.order_id == written.c.id)
    undone = update(order_change).where(withdrawn).values(deleted_at=func.now()).returning(order_change.c.id).cte("undone")
    of_undone = order_change_action.c.order_change_id == undone.c.id
    again = delete(order_version).where(order_version.c.order_id == written.c.id, order_version.c.version == written.c.version)
    return answering(
        select(cast(bindparam("answer", type_=JSON), JSON).label("answer"))
        .select_from(written)
        .add_cte(
            put_away.cte("put_away"),
            insert_rows("changes", order_change, written, order_id=written.c.id).cte("new_changes"),
            insert_rows("actions", order_change_action, written, order_id=written.c.id).cte("new_actions"),
            update(order_change_action).where(of_undone).values(deleted_at=func.now()).cte("undone_actions"),
            *([again.cte("again")] if back else []),
            *beside,
        )
    )


def _of_change(name: str) -> Any:
    return bindparam(f"change_{name}", type_=order_change.c[name].type)


def _confirmed() -> Any:
    given = {name: _of_change(name) for name in ("version", "confirmed_by", "confirmed_at")}
    as_read = (
        order_change.c.id == _of_change("id"),
        order_change.c.revision == _of_change("revision"),
        order_change.c.deleted_at.is_(None),
    )
    raised = {"revision": order_change.c.revision + 1, "updated_at": func.clock_timestamp()}
    return update(order_change).where(*as_read).values(**given, **raised, status="confirmed")


CHANGE = _changing()
"""Write an order that is as it was read (`expected`), with changes and their actions that are written down, and without those that are
`withdrawn`. Where its version rises, what it was before is put away: its document, and as `former_fields` its columns. Gives the `answer`;
no row, and nothing written, where it isn't as it was read."""

CHANGE_BACK = _changing(back=True)
"""The same, where the order may go back to its former version, which isn't put away any more then."""

CONFIRM = _changing(confirming=True)
"""The same, and confirm an open change that is as it was read (`change_revision`): its actions are those of this `change_version`. Either
is done, or neither."""

HOLD_CHANGE = compiled(
    update(order_change)
    .where(order_change.c.id == bindparam("id"), any_of(order_change.c.status, "statuses"), order_change.c.deleted_at.is_(None))
    .values(revision=order_change.c.revision + 1)
    .returning(order_change.c.order_id, order_change.c.return_id, order_change.c.claim_id, order_change.c.exchange_id)
)
"""Hold a change that is in one of these `statuses`, and raise its revision. Gives the ids of what it is of, or no row."""


_SAID = {name: bindparam(name, type_=order_change.c[name].type) for name in ("status", "requested_by", "requested_at")}
REQUEST = answering(
    update(order_change)
    .where(order_change.c.id == bindparam("id"), order_change.c.revision == bindparam("expected", type_=BigInteger))
    .where(order_change.c.deleted_at.is_(None))
    .values(**_SAID, revision=order_change.c.revision + 1, updated_at=func.clock_timestamp())
    .returning(order_change.c.id)
)
"""Ask for the confirmation of a change that is as it was read. Gives its id, or no row."""


HOLD_THING = {
    table.name: compiled(select(table.c.id).where(table.c.id == bindparam("id")).with_for_update(key_share=True))
    for table in (return_, order_claim, order_exchange)
}
"""Hold a return, a claim or an exchange."""

FORMER = compiled(
    select(order_version.c.fields, order_version.c.document, order_version.c.document_schema).where(
        order_version.c.order_id == bindparam("order_id"), order_version.c.version == bindparam("version")
    )
)
"""An order as it was until the version that followed."""
