"""Admin: executions of durable workflows, and running one by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal

from ...core.errors import InvalidData, NotAllowed, NotFound
from ...core.json import dumps
from ...core.message import CallContext, call_context
from ...core.rows import Row
from ..kit.bodies import ABSENT, Body
from ..kit.filters import MANY, OPERATORS, TEXT, Filters
from ..kit.reply import Answer, Refused, Reply
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View

routes = Routes()

EXECUTION = View("workflow_execution", "id workflow_id transaction_id context execution state created_at updated_at deleted_at", limit=100)
LISTED = EXECUTION.but(defaults="id workflow_id transaction_id state execution created_at updated_at deleted_at")

LOOK_SECONDS = 0.5
"""Seconds between two polls of followed executions."""
SILENT_LOOKS = 30
"""After this many polls without news the client gets a sign of life."""

routes.resource(
    "/admin/workflows-executions",
    LISTED,
    list=Filters(q=TEXT, transaction_id=MANY, workflow_id=MANY, state=MANY, created_at=OPERATORS),
    get=False,
)


@routes.get("/admin/workflows-executions/{id}", returns=EXECUTION)
async def get_execution(request: Request) -> Answer:
    """Get an execution."""
    return await request.fetch(EXECUTION, request.params["id"])


@routes.get("/admin/workflows-executions/{workflow_id}/{transaction_id}", returns=EXECUTION)
async def get_transaction(request: Request) -> Answer:
    """Get the newest execution of a workflow under a transaction id."""
    page = await request.rows(EXECUTION, dict(request.params), order=("-created_at",), limit=1)
    if not page.rows:
        raise _missing(request)
    return {"workflow_execution": page.rows[0]}


# -- running


class RunWorkflow(Body):
    input: Any = ABSENT
    transaction_id: str = ABSENT


class StepAnswer(Body):
    transaction_id: str
    step_id: str
    response: Any = ABSENT
    compensate_input: Any = ABSENT
    action: Literal["invoke", "compensate"] = ABSENT


@routes.post("/admin/workflows-executions/{workflow_id}/run", body=RunWorkflow, query=None, envelope="acknowledgement")
async def run_workflow(request: Request) -> Answer:
    """Run a workflow with an input: its parameters by name."""
    input = request.body.get("input") or {}
    if not isinstance(input, dict):
        raise InvalidData("The input of a workflow is an object: its parameters by their names.")
    done = await request.workflows.begin(request.params["workflow_id"], input, request.body.get("transaction_id"))
    return {"acknowledgement": done}


@routes.post("/admin/workflows-executions/{workflow_id}/steps/success", body=StepAnswer, query=None)
async def end_step(request: Request) -> Answer:
    """Report that a step that waits for the outside has succeeded, with what it is to return."""
    about, said = _answer(request)
    await request.workflows.set_step_success(*about, **said)
    return {"success": True}


@routes.post("/admin/workflows-executions/{workflow_id}/steps/failure", body=StepAnswer, query=None)
async def fail_step(request: Request) -> Answer:
    """Report that a step that waits for the outside has failed: what was done before is undone, unless the workflow knows another way.

    An execution that waits at this step because it is tried again is given up: nothing of it is undone. `response` says why.
    """
    about, said = _answer(request)
    try:
        await request.workflows.set_step_failure(*about, **said)
    except NotAllowed:
        reason = request.body.get("response")
        text = reason if isinstance(reason, str) else dumps(reason or {}).decode()
        row = await _transaction(request)
        await request.workflows.give_up(row["id"], by=request.actor_id, reason=text, step=about[2])
    return {"success": True}


def _answer(request: Request) -> tuple[tuple[str, str, str], Row]:
    """Workflow, transaction and step; what is said of it. Raises NotAllowed for `compensate`: undoing waits for nobody."""
    body = request.body
    step = body["step_id"].rpartition(".")[2]
    if body.get("action") == "compensate":
        raise NotAllowed(f"The step {step} of the transaction {body['transaction_id']} does not wait for an answer while it is undone.")
    about = request.params["workflow_id"], body["transaction_id"], step
    return about, {"response": body.get("response"), "undo": body.get("compensate_input")}


async def _transaction(request: Request) -> Row:
    """The newest execution under the transaction id that the body names."""
    transaction = request.body["transaction_id"]
    about = {"workflow_id": request.params["workflow_id"], "transaction_id": transaction}
    page = await request.rows(EXECUTION, about, fields=("id", "state"), order=("-created_at",), limit=1)
    if not page.rows:
        raise _missing(request, transaction)
    return page.rows[0]


# -- following


@routes.get("/admin/workflows-executions/{workflow_id}/subscribe", query=None, answers="text/event-stream")
@routes.get("/admin/workflows-executions/{workflow_id}/{transaction_id}/subscribe", query=None, answers="text/event-stream")
async def follow(request: Request) -> Answer:
    """Follow the executions of a workflow, or the one of a transaction, as server-sent events."""
    workflow, transaction = request.params["workflow_id"], request.params.get("transaction_id")
    seen = Seen(workflow)
    rows = await request.workflows.progress(workflow, transaction)  # now: an unknown workflow is refused
    if transaction is None:
        seen.changes(rows)  # followers of one transaction get what it has done so far, followers of a workflow only what is new
    return Reply(
        content_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        stream=_events(request, seen, transaction),
    )


async def _events(request: Request, seen: Seen, transaction: str | None) -> AsyncIterator[bytes]:
    """The events. Ends when the follower's credentials become invalid."""
    yield b": following\n\n"
    silent = 0
    while True:
        call_context.set(CallContext(request.trace_id))  # each poll has its own time: the request's is used up
        try:
            await request.credentials.actor(request.http, request.route.auth)
        except Refused:
            return
        rows = await request.workflows.progress(seen.workflow, transaction)
        changes = list(seen.changes(rows))
        for change in changes:
            yield b"data: %s\n\n" % dumps(change)
        silent = 0 if changes else silent + 1
        if silent == SILENT_LOOKS:
            yield b": nothing new\n\n"
            silent = 0
        await asyncio.sleep(LOOK_SECONDS)


class Seen:
    """What a follower has been sent of the executions of a workflow."""

    def __init__(self, workflow: str) -> None:
        self.workflow = workflow
        self._known: dict[str, tuple[str, int, list[str]]] = {}
        """State, number of steps, and the steps that wait, by execution."""

    def changes(self, rows: list[Row]) -> list[Row]:
        """What is new in them, as Medusa's events: onBegin, onStepSuccess, onStepAwaiting, onCompensateBegin,
        onFinish.

        An execution that began and ended between two polls is reported as both at once. So a follower gets the same events, in the order in
        which they happened, however the polls fall.
        """
        events = [event for row in rows for event in self._of(row)]
        self._known = {row["id"]: (row["state"], len(row["steps"]), row["waits"]) for row in rows}
        return events

    def _of(self, row: Row) -> Iterator[Row]:
        before, steps, waits = self._known.get(row["id"], ("", 0, []))
        if not before:
            yield self._event("onBegin", row)
        for name in row["steps"][steps:]:
            yield self._event("onStepSuccess", row, step={"id": name, "action": name})
        for name in row["waits"]:
            if name not in waits:
                yield self._event("onStepAwaiting", row, step={"id": name, "action": name})
        if row["state"] != before:
            if row["state"] == "compensating" or (row["state"] == "reverted" and before != "compensating"):
                yield self._event("onCompensateBegin", row, errors=row["errors"])
            if row["state"] not in ("invoking", "finishing", "compensating"):
                yield self._event("onFinish", row, result=row["result"], errors=row["errors"], state=row["state"])

    def _event(self, type: str, row: Row, **about: Any) -> Row:
        return {"event_type": type, "workflow_id": self.workflow, "transaction_id": row["transaction_id"], **about}


def _missing(request: Request, transaction: str | None = None) -> NotFound:
    about = transaction if transaction is not None else request.params["transaction_id"]
    return NotFound(f"Workflow execution with workflow_id: {request.params['workflow_id']}, transaction_id: {about} was not found")
