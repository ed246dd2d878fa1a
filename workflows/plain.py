"""Flows declared as rows: plain creating, updating and deleting of one entity.

    RETURN_REASONS = Plain("return_reason", "create-return-reasons", "update-return-reasons", "delete-return-reasons")
    PRODUCT_TAGS = Plain(
        "product_tag", "create-product-tags", "update-product-tags", "delete-product-tags", hooks="productTags", event="product-tag"
    )

`Routes.resource` serves them; another flow runs them like any: `await flow.run(PRODUCT_TAGS.create, [{"value": "new"}])`. Their
writes are undone when something fails afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ..commerce.links import LINKED
from ..core.rows import Row
from .kit import Flow, Kept, Workflow, keep, step, take_back, workflow
from .links import delete, is_linked, unlink_all
from .rows import create_rows, owner, update_rows

Method = Callable[..., Awaitable[list[Any]]]
"""A write of the module's service: `TaxService.create_rates`."""


class Plain:
    """The flows of one entity, each if it has a name."""

    create: Workflow[..., list[Row]]
    """(rows, additional_data=None): creates rows; returns them as they are stored. Raises InvalidData for invalid or existing rows,
    NotFound for a reference to a missing row."""
    update: Workflow[..., list[Row]]
    """(rows, additional_data=None): changes the columns that each row names, by its id; returns the changed rows. Raises NotFound."""
    delete: Workflow[..., list[str]]
    """(ids): deletes rows with what is deleted along, and their links; returns the ids of those that existed."""

    def __init__(
        self,
        entity: str,
        create: str | None = None,
        update: str | None = None,
        delete: str | None = None,
        *,
        hooks: str | None = None,
        rows_as: str | None = None,
        event: str | None = None,
        create_by: Method | None = None,
        update_by: Method | None = None,
        delete_by: Method | None = None,
    ) -> None:
        """
        Args:
            create, update, delete: the workflows' names.
            hooks: `productTags` where they have hooks: `productTagsCreated`, `…Updated` with the rows and the `additional_data`, and
                `…Deleted` with the `ids`.
            rows_as: what the rows are called there: `product_tags` by default.
            event: `product-tag` where they emit `product-tag.created`, `.updated`, `.deleted` for each id.
            create_by, update_by, delete_by: writes of the service (of all rows, or ids) where the module has more to do than to write
                the rows of this entity.
        """
        self.entity = entity
        self._hooks = hooks
        self._rows_as = rows_as or re.sub("(?=[A-Z])", "_", hooks or "").lower()
        self._event = event
        if create is not None:
            self.create = self._named(create, "created", _creating(self, create_by))
        if update is not None:
            self.update = self._named(update, "updated", _updating(self, update_by))
        if delete is not None:
            self.delete = self._named(delete, "deleted", _deleting(self, delete_by), durable=entity in LINKED)

    def _named(self, name: str, done: str, function: Any, *, durable: bool = False) -> Workflow[..., Any]:
        function.__qualname__ = f"Plain({self.entity!r}).{done}"
        hooks = (f"{self._hooks}{done.capitalize()}",) if self._hooks is not None else ()
        events = (f"{self._event}.{done}",) if self._event is not None else ()
        return workflow(name, durable=durable, hooks=hooks, emits=events)(function)

    async def announce(self, flow: Flow, done: str, ids: Sequence[str], rows: Sequence[Row] | None = None) -> None:
        """Run the hook, and emit the events, after a write. `rows`: what is there now."""
        if self._hooks is not None:
            given = {"ids": ids} if rows is None else {self._rows_as: rows}
            await getattr(flow.hooks, f"{self._hooks}{done.capitalize()}")(**given)
        if self._event is not None:
            for id in ids:
                flow.emit(f"{self._event}.{done}", id=id)


def _creating(plain: Plain, by: Method | None) -> Any:
    async def create(flow: Flow, rows: list[Row], additional_data: Row | None = None) -> list[Row]:
        write = flow.run(create_rows, plain.entity, rows) if by is None else flow.run(write_rows, plain.entity, by.__name__, rows)
        made = (await write)["answer"]
        await plain.announce(flow, "created", [row["id"] for row in made], made)
        return made

    return create


def _updating(plain: Plain, by: Method | None) -> Any:
    async def update(flow: Flow, rows: list[Row], additional_data: Row | None = None) -> list[Row]:
        write = flow.run(update_rows, plain.entity, rows) if by is None else flow.run(write_rows, plain.entity, by.__name__, rows)
        changed = (await write)["answer"]
        await plain.announce(flow, "updated", [row["id"] for row in rows], changed)
        return changed

    return update


def _deleting(plain: Plain, by: Method | None) -> Any:
    async def remove(flow: Flow, ids: list[str]) -> list[str]:
        if by is None:
            gone = await delete(flow, plain.entity, ids)
        else:
            if is_linked(flow, plain.entity):
                flow.durably()
            done = await flow.run(write_rows, plain.entity, by.__name__, ids)
            await unlink_all(flow, done["change"])
            gone = done["answer"]
        await plain.announce(flow, "deleted", gone)
        return gone

    return remove


def linking(name: str, entity: str, by: Callable[..., Awaitable[Any]]) -> Workflow[..., str]:
    """A flow that links other rows of one module to a row of `entity`, and unlinks others: (id, add=None, remove=None); returns the id.

    `by`: the service's write for it, all of it or nothing.
    """

    async def link(flow: Flow, id: str, add: list[str] | None = None, remove: list[str] | None = None) -> str:
        await flow.run(write_links, entity, by.__name__, id, add or [], remove or [])
        return id

    link.__qualname__ = f"linking({name!r})"
    return workflow(name)(link)


@step(undo=take_back)
async def write_links(flow: Flow, entity: str, method: str, id: str, add: Sequence[str], remove: Sequence[str]) -> Kept[Any]:
    return await keep(getattr(owner(flow, entity), method), id, add, remove)


@step(undo=take_back)
async def write_rows(flow: Flow, entity: str, method: str, given: Sequence[Any]) -> Kept[list[Any]]:
    """Write rows by a method of the module that owns them."""
    return await keep(getattr(owner(flow, entity), method), given)
