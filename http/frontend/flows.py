"""Rows of the route table whose writing is a workflow: what resources hand to `Write(run=…)` and `delete=…`.

    routes.resource(
        "/admin/collections", COLLECTION,
        create=Write(CreateCollection, run=creates(create_collections, "collections")),
        update=Write(UpdateCollection, run=updates(update_collections)),
        delete=deletes(delete_collections),
    )

Such workflows take `rows`, or `selector` and `update`, or `updates`, or `ids`; and `additional_data` for their hooks. One that
doesn't is a TypeError where the row is written, not where the first request meets it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from ...core.flow import Workflow
from .request import Request

Row = dict[str, Any]


def split(body: Row) -> tuple[Row, Row]:
    """A body's row, and what it has for the workflow's hooks: `{"additional_data": …}` or nothing."""
    row = dict(body)
    return row, {"additional_data": row.pop("additional_data")} if "additional_data" in row else {}


def signed(request: Request, body: Row) -> Row:
    """`Write(before=signed)`: the row says who made it."""
    return {**body, "created_by": request.actor_id}


def takes(workflow: Workflow[..., Any], *names: str) -> None:
    """Make sure that a workflow can be run with arguments of these names alone. Raises TypeError."""
    try:
        inspect.signature(workflow.function).bind(None, **dict.fromkeys(names))
    except TypeError as error:
        raise TypeError(f"Workflow {workflow.name} can't be run with ({', '.join(names)}): {error}") from None


def creates(workflow: Workflow[..., Any], rows: str) -> Callable[[Request, Row], Awaitable[str]]:
    """Run a workflow that takes `rows` by that name and gives what it made; gives the id."""
    takes(workflow, rows)

    async def run(request: Request, row: Row) -> str:
        new, additional = split(row)
        given: Row = {rows: [new], **additional}
        made = await request.run(workflow, **given)
        return str(made[0]["id"])

    return run


def updates(workflow: Workflow[..., Any]) -> Callable[[Request, Row], Awaitable[None]]:
    """Run a workflow that changes what a selector finds."""
    takes(workflow, "selector", "update")

    async def run(request: Request, row: Row) -> None:
        update, additional = split(row)
        await request.run(workflow, selector={"id": update.pop("id")}, update=update, **additional)

    return run


def changes(workflow: Workflow[..., Any], rows: str = "updates") -> Callable[[Request, Row], Awaitable[None]]:
    """Run a workflow that takes `rows` by that name, each with its id."""
    takes(workflow, rows)

    async def run(request: Request, row: Row) -> None:
        given: Row = {rows: [row]}
        await request.run(workflow, **given)

    return run


def deletes(workflow: Workflow[..., Any]) -> Callable[[Request, str], Awaitable[None]]:
    """Run a workflow that deletes by ids."""
    takes(workflow, "ids")

    async def run(request: Request, id: str) -> None:
        await request.run(workflow, ids=[id])

    return run
