"""How rows of the route table run workflows: what they hand to them, and that they can be run so.

A workflow creates from rows (its first parameter), changes what a selector means (`selector`, `update`) or rows by their ids, and deletes
by ids; `additional_data` of a body goes to its hooks. One that can't be run so is a TypeError where the row is written, not where the first
request meets it. Under an `Idempotency-Key` it is run once, however often the request comes.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from ...core.rows import Row
from ...workflows.kit import Workflow
from .request import Request

R = TypeVar("R")


def split(body: Row) -> tuple[Row, Row]:
    """A body's row, and what it has for the workflow's hooks: `{"additional_data": …}` or nothing."""
    row = dict(body)
    return row, {"additional_data": row.pop("additional_data")} if "additional_data" in row else {}


def signed(request: Request, body: Row) -> Row:
    """`Write(before=signed)`: the row says who made it."""
    return {**body, "created_by": request.actor_id}


def takes(workflow: Workflow[..., Any], names: Iterable[str]) -> None:
    """Make sure that a workflow can be run with arguments of these names alone. Raises TypeError."""
    try:
        inspect.signature(workflow.function).bind(None, **dict.fromkeys(names))
    except TypeError as error:
        raise TypeError(f"Workflow {workflow.name} can't be run with ({', '.join(names)}): {error}") from None


async def once(request: Request, workflow: Workflow[..., R], /, **input: Any) -> R:
    """Run a workflow, under what the client calls the request, unless it has a key of its own."""
    return await request.run(workflow, idempotency_key=request.idempotency_key if workflow.key is None else None, **input)


def _first(workflow: Workflow[..., Any]) -> str:
    """The name of its first parameter, which has to be all that it needs."""
    name = [*inspect.signature(workflow.function).parameters][1]
    takes(workflow, (name,))
    return name


def creates(workflow: Workflow[..., Any]) -> Callable[[Request, Row], Awaitable[str]]:
    """Run a workflow that takes rows and gives what it made; gives the id."""
    rows = _first(workflow)

    async def run(request: Request, row: Row) -> str:
        new, additional = split(row)
        made = await once(request, workflow, **{rows: [new]}, **additional)
        return str(made[0]["id"])

    return run


def updates(workflow: Workflow[..., Any]) -> Callable[[Request, Row], Awaitable[None]]:
    """Run a workflow that changes what a selector means, or rows by their ids."""
    selects = [*inspect.signature(workflow.function).parameters][1] == "selector"
    if selects:
        takes(workflow, ("selector", "update"))
    rows = "" if selects else _first(workflow)

    async def run(request: Request, row: Row) -> None:
        changed, additional = split(row)
        given = {"selector": {"id": changed.pop("id")}, "update": changed} if selects else {rows: [changed]}
        await once(request, workflow, **given, **additional)

    return run


def deletes(workflow: Workflow[..., Any]) -> Callable[[Request, str], Awaitable[None]]:
    """Run a workflow that deletes by ids."""
    takes(workflow, ("ids",))

    async def run(request: Request, id: str) -> None:
        await once(request, workflow, ids=[id])

    return run
