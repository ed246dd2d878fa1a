"""How rows of the route table run workflows: which arguments they pass, and a check that a workflow takes them.

A workflow creates from rows (its first parameter), updates by a selector (`selector`, `update`) or rows by their ids, and deletes
by ids; a body's `additional_data` goes to its hooks. A workflow that doesn't fit raises TypeError when the row is declared, not at the
first request. With an `Idempotency-Key` it is run once, however often the request comes.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ParamSpec, TypeVar

from ...core.rows import Row
from ...workflows.kit import Workflow
from .request import Request

P = ParamSpec("P")
R = TypeVar("R")


def split(body: Row) -> tuple[Row, Row]:
    """A body's row, and its part for the workflow's hooks: `{"additional_data": …}` or nothing."""
    row = dict(body)
    return row, {"additional_data": row.pop("additional_data")} if "additional_data" in row else {}


def signed(request: Request, body: Row) -> Row:
    """`Write(before=signed)`: the row gets the caller as `created_by`."""
    return {**body, "created_by": request.actor_id}


def takes(workflow: Workflow[..., Any], names: Iterable[str]) -> None:
    """Check that a workflow can be run with arguments of these names alone. Raises TypeError."""
    try:
        inspect.signature(workflow.function).bind(None, **dict.fromkeys(names))
    except TypeError as error:
        raise TypeError(f"Workflow {workflow.name} can't be run with ({', '.join(names)}): {error}") from None


async def once(request: Request, workflow: Workflow[P, R], /, *args: P.args, **input: P.kwargs) -> R:
    """Run a workflow under the client's idempotency key, unless the workflow has a key of its own."""
    return await request.run_once(request.idempotency_key if workflow.key is None else None, workflow, *args, **input)


def _first(workflow: Workflow[..., Any]) -> str:
    """The name of its first parameter, which must be the only required one."""
    name = [*inspect.signature(workflow.function).parameters][1]
    takes(workflow, (name,))
    return name


def creates(workflow: Workflow[..., Any]) -> Callable[[Request, Row], Awaitable[str]]:
    """Make a function that runs a workflow that creates rows, and returns the id of the new one."""
    rows = _first(workflow)

    async def run(request: Request, row: Row) -> str:
        new, additional = split(row)
        made = await once(request, workflow, **{rows: [new]}, **additional)
        return str(made[0]["id"])

    return run


def updates(workflow: Workflow[..., Any]) -> Callable[[Request, Row], Awaitable[None]]:
    """Make a function that runs a workflow that updates by a selector, or rows by their ids."""
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
    """Make a function that runs a workflow that deletes by ids."""
    takes(workflow, ("ids",))

    async def run(request: Request, id: str) -> None:
        await once(request, workflow, ids=[id])

    return run
