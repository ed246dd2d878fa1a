"""The coordinators: a pool whose replicas carry out workflows.

Short flows run where they are called, without a row or a lock of the engine. Durable ones survive their coordinator: see
`engine/journal.py` for how.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...core import json
from ...core.clock import iso
from ...core.codec import pack, unpack
from ...core.errors import Conflict, InvalidData, Misconfigured, NotAllowed, NotFound, Unavailable, VelellaError
from ...core.flow import FlowContext, workflow_named
from ...core.flow.attempts import is_in_doubt, worth_retrying
from ...core.flow.definitions import recurring_workflows, scheduled_workflows, unmatched_hooks
from ...core.flow.journal import Outgrown, Verdict
from ...core.flow.run import Run
from ...core.ids import new_id
from ...core.logs import logger
from ...core.message import Service, call_context, reads
from ...core.metrics import Sample, Timings
from ...core.rows import Row, Rows
from ...core.sql.db.database import Database
from ...core.sql.read.statements import Statements
from ...core.sql.schema.query import Page, Query
from ..caching import coalesced
from ..locking import LockProvider, locks
from ..streams import EventStream, stream
from ..wakeups import WakeupQueue, wakeups
from . import queries
from .admin_view import completed, done, errors_of, execution_of, steps_of, waits_of
from .durable import DurableFlows
from .events import Relay
from .jobs import LOOK_SECONDS, Jobs
from .journal import packed_verdict
from .lease import Lease
from .module_events import ModuleEvents
from .store import Executions
from .tables import LIVE_STATES, SCHEMA
from .wakeups import Wakeups

if TYPE_CHECKING:
    from ..context import HostContext
    from ..membership.directory import ReplicaId


BEAT_SECONDS = 2.5
CLEAN_SECONDS = 60.0
FORGET_SECONDS = 3600.0
RECENT_SECONDS = 10.0
"""Seconds for which an ended execution is still reported to those who poll `progress`."""
DROP_AT_ONCE = 500
STOP_SECONDS = 5.0
"""Seconds a stopping coordinator lets its durable executions run on before it hands them over."""

log = logger("velella.workflows")


def load_workflows(names: Iterable[str]) -> None:
    """Import packages with everything in them, which registers workflows, hooks and subscribers. Raises Misconfigured.

    A plugin's `http` is left to the front ends.
    """
    for name in names:
        try:
            package = importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise Misconfigured(f"The workflows of {name} can't be loaded: {error}.", hint="See the setting plugins.") from error
        for found in pkgutil.iter_modules(getattr(package, "__path__", ()), f"{name}."):
            if found.name != f"{name}.http":
                _import_all(found.name)
    for hook in unmatched_hooks():
        log.warning("a hook's workflow does not exist", workflow=hook.workflow, hook=hook.name, handler=hook.step.reference)


def _import_all(name: str) -> None:
    for found in pkgutil.walk_packages(getattr(importlib.import_module(name), "__path__", ()), f"{name}."):
        importlib.import_module(found.name)


class Coordinator(Service):
    """Runs workflows by name."""

    name = "workflows"

    def __init__(
        self,
        flows: FlowContext,
        database: Database,
        *,
        replica: str | None = None,
        packages: Iterable[str] = (),
        visits: bool = False,
        stream: EventStream | None = None,
        wakeups: WakeupQueue | None = None,
    ) -> None:
        """`replica`: the name that operators see. `packages`: import paths that register workflows, loaded at the start. `visits`: it
        carries out what it is asked for, and takes over nothing else that others began. `stream`: where events go on to. `wakeups`: by
        which coordinators hear of what they can go on with."""
        self._flows = flows = replace(flows, call=self._call, start=self.start_durable, wants=lambda event: self._relay.wants(event))
        self._database = database
        self._packages = tuple(packages)
        self._visits = visits
        self._wakeups = Wakeups(wakeups)
        self._lease = Lease(database, replica or "local", self._wakeups)
        self._store = Executions(database, self._lease, self._wakeups)
        self._runs: Timings[tuple[str, str]] = Timings()
        self._durable = DurableFlows(flows, self._store, self._runs, visits=visits)
        self._relay = Relay(flows, database, self._store, self._durable.nudge, stream=stream)
        self._module_events = ModuleEvents(flows.modules, database, self._store, lambda: self._relay.wanted, self._relay.nudge)
        self._jobs = Jobs(database, self._durable.nudge)
        self._statements = Statements(SCHEMA)
        self._chores: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        load_workflows(self._packages)
        if isinstance(self._flows.locks, LockProvider):
            await self._flows.locks.start()
        chores: list[tuple[float, Callable[[], Awaitable[object]]]] = [(BEAT_SECONDS, self._beat), (BEAT_SECONDS, self._relay.learn)]
        if self._visits:
            await self._relay.learn()
        else:
            await self._relay.start()
            await self._jobs.record()
            await self._jobs.begin_once()
            chores += [
                (CLEAN_SECONDS, self._relay.subscribe),
                (CLEAN_SECONDS, self._jobs.record),
                (CLEAN_SECONDS, self._jobs.begin_once),
                (LOOK_SECONDS, self._jobs.look),
                (LOOK_SECONDS, self._module_events.look),
                (CLEAN_SECONDS, self.clean),
                (FORGET_SECONDS, self._forget_messages),
                *((workflow.every or 0.0, self._recurring(workflow.name)) for workflow in recurring_workflows()),
            ]
        self._chores = [asyncio.create_task(self._repeat(seconds, chore)) for seconds, chore in chores]
        if not self._visits:
            self._chores.append(asyncio.create_task(self._durable.keep_recovering(self._pause)))
        self._wakeups.start(None if self._visits else self._durable.room, self._woken)

    async def stop(self) -> None:
        """Hand over what runs. A part that fails doesn't stop the others."""
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        ended = [*await asyncio.gather(self._relay.stop(), self._durable.stop(STOP_SECONDS), return_exceptions=True)]
        ended += await asyncio.gather(self._wakeups.stop(), return_exceptions=True)
        if isinstance(self._flows.locks, LockProvider):  # running flows may have held locks
            ended += await asyncio.gather(self._flows.locks.stop(), return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                log.warning("a coordinator did not stop in order", error=str(error), exc_info=error)

    # -- running

    async def run(self, name: str, input: dict[str, Any], key: str | None = None) -> Any:
        """Run a workflow to its end and return its result.

        A short workflow that turns out to have to be durable (see `Flow.durably`) runs as a durable one.

        `key` names the execution: of all runs with one key, one is carried out, and all get its result, for as long as it is kept. By
        default it is the value of the durable workflow's `key` parameter. A short workflow with a key is durable.

        Raises the workflow's error, after it was undone. GoesOn from a durable one means that it is still running.
        """
        workflow = workflow_named(name)
        if workflow.durable or key is not None:
            return await self._durable.run(workflow, input, key if key is not None else workflow.key_of(input))
        attempt = 0
        while True:
            run = Run(self._flows, workflow)
            started = time.monotonic()
            try:
                async with coalesced():
                    result = await run.carry_out(input)
            except Outgrown:
                result = await self._durable.run(workflow, input, None)
                self._relay.nudge()
                return result
            except Exception as error:
                self._runs[name, "failed" if run.unfinished else "reverted"].observe(time.monotonic() - started)
                if run.unfinished:
                    await self._bury(run, input)
                    raise
                attempt += 1
                in_doubt = run.has_written and is_in_doubt(error)  # another run would write under other message ids
                if attempt > workflow.retries or in_doubt or not worth_retrying(error):
                    raise
                await asyncio.sleep(0.05 * 2**attempt * random.uniform(0.5, 1.0))
            else:
                self._runs[name, "done"].observe(time.monotonic() - started)
                if run.unfinished:
                    await self._bury(run, input)
                return result

    async def _call(self, workflow: str, input: dict[str, Any], key: str | None, joined: str | None = None) -> Any:
        outcome = await self._durable.outcome_of(joined) if joined is not None else None
        if outcome is None or (outcome.has_failed and await self._store.of_key(workflow, str(key), 0.0) is not None):
            return await self.run(workflow, input, key)  # in the second case there is a later one, which counts
        return outcome.value()

    @reads(key="key")
    async def run_once(self, name: str, input: dict[str, Any], key: str) -> Any:
        """`run` with a key, for callers in other processes: it may be sent again, to any coordinator, when its answer was lost.

        (That is why it is marked as a read. The key makes sure that it is carried out once.)
        """
        return await self.run(name, input, key)

    async def start_durable(self, name: str, input: dict[str, Any], key: str | None = None) -> str:
        """Start a durable workflow without waiting for it. Returns the id of its execution; if the key exists already, that execution's
        id."""
        workflow = workflow_named(name)
        if not workflow.durable:
            raise InvalidData(f"The workflow {name} is short: somebody has to wait for it.")
        return await self._durable.start(workflow, input, key if key is not None else workflow.key_of(input))

    async def begin(self, name: str, input: dict[str, Any], transaction: str | None = None) -> Row:
        """Run a workflow by its name with an input written by hand: a durable one goes on in the background, a short one has ended.

        `transaction` is the key of a durable one; of all with one key, one is carried out. The answer is Medusa's acknowledgement.
        Raises NotFound for an unknown name, NotAllowed for a workflow that may not be run by hand, InvalidData for arguments that it
        doesn't take, and the errors of a short one.
        """
        workflow = workflow_named(name)
        workflow.check_by_hand(input, transaction)
        if workflow.durable:
            key = transaction if transaction is not None else workflow.key_of(input)
            id = await self._durable.start(workflow, input, key)
            return {"transactionId": key or id, "workflowId": name, "hasFinished": False, "hasFailed": False}
        await self.run(name, input)
        return {"transactionId": transaction or new_id("wfx"), "workflowId": name, "hasFinished": True, "hasFailed": False}

    # -- steps that wait for the outside

    async def set_step_success(self, workflow: str, transaction: str, step: str, response: Any = None, *, undo: Any = None) -> None:
        """Say that a step that waits (`@step(waits=…)`) has succeeded: `response` is what `flow.run` gives.

        `transaction`: the execution's key, or its id. `step`: the step's name; the second of one name in an execution is `name-2`. `undo`:
        what the step's undo gets, instead of what its function returned. Said twice it counts once: it is recorded when this returns, and
        any coordinator goes on with the execution. Raises NotFound; NotAllowed for a step that doesn't wait, or doesn't any more.
        """
        await self._answer(workflow, transaction, step, Verdict("ok", response, undo))

    async def set_step_failure(self, workflow: str, transaction: str, step: str, response: Any = None, *, undo: Any = None) -> None:
        """Say that a step that waits has failed: it raises StepFailed, with the `response`. Otherwise like `set_step_success`."""
        await self._answer(workflow, transaction, step, Verdict("failed", response, undo))

    async def _answer(self, workflow: str, transaction: str, step: str, verdict: Verdict) -> None:
        if await self._store.answer(workflow, transaction, step, packed_verdict(verdict)):
            self._durable.nudge()
            return
        row = await self._transaction(workflow, transaction)
        status = next((one["invoke"]["status"] for at, one in execution_of(row)["steps"].items() if at.endswith(f".{step}")), "idle")
        raise NotAllowed(f"The step {step} of the transaction {transaction} does not wait for an answer: its status is {status}.")

    async def _transaction(self, workflow: str, transaction: str) -> Any:
        row = await self._database.fetch_one(queries.TRANSACTION, {"workflow": workflow, "transaction": transaction})
        if row is None:
            raise NotFound(f"Workflow execution with workflow_id: {workflow}, transaction_id: {transaction} was not found")
        return row

    @reads
    async def outcome(self, workflow: str, transaction: str) -> Row:
        """How the newest execution of a workflow stands, by its key or id: id, state, `waits` (the names of steps that wait for the
        outside), result, error (a message, or None). Raises NotFound."""
        row = await self._transaction(workflow, transaction)
        return {
            "id": row["id"],
            "state": row["state"],
            "waits": waits_of(row),
            "result": unpack(row["result"]) if row["result"] is not None else None,
            "error": row["error"][1] if row["error"] else None,
        }

    # -- for merchants

    @reads
    async def query(self, query: Query) -> Page:
        """A page of executions, as a module answers for its entities."""
        row = await self._database.fetch_row(self._statements.page(query))
        page = Page(row[0], row[1] if query.count else None)
        if not {"*", "execution", "context"} & set(query.fields):
            return page
        rows: list[Row] = json.loads(page.json)
        if "id" in query.fields or "*" in query.fields:
            completed(rows, await self._database.fetch(queries.PACKED, {"ids": [row["id"] for row in rows]}))
        return Page.of(rows, page.count)

    @reads
    async def progress(self, workflow: str, transaction: str | None = None) -> Rows:
        """The executions of a workflow, or of one transaction: those that run, and those that ended in the last seconds.

        Oldest first, at most 100: id, transaction_id, state, the names of their steps, and of those that wait, result and errors. Raises
        NotFound for an unknown workflow.
        """
        about = {"workflow": workflow, "transaction": transaction, "retention": workflow_named(workflow).retention}
        rows = await self._database.fetch(queries.PROGRESS, {**about, "recent": RECENT_SECONDS, "limit": 100})
        return [
            {
                "id": row["id"],
                "transaction_id": row["key"] or row["id"],
                "state": row["state"],
                "steps": [name for _, name, _ in steps_of(row)],
                "waits": waits_of(row),
                "result": unpack(row["result"]) if row["result"] is not None else None,
                "errors": list(errors_of(row)),
            }
            for row in rows
        ]

    # -- for operators

    @reads
    async def backlog(self) -> list[Sample]:
        """What waits in the whole shop: for any coordinator, or for an operator."""
        row = await self._database.fetch_one(queries.BACKLOG)
        assert row is not None
        states = [("velella_workflow_executions", (state,), row[state]) for state in ("invoking", "finishing", "compensating", "failed")]
        return [*states, ("velella_events_waiting", (), row["events"])]

    @reads
    async def jobs(self) -> list[Row]:
        """Workflows that begin by the clock: name, cron, time_zone, missed, next tick, and the last execution's id, state, times, error."""
        return await self._jobs.list()

    async def begin_job(self, name: str) -> str:
        """Begin a job now, whatever its schedule, without waiting for it. Returns the execution's id. Raises NotFound."""
        return await self._jobs.begin_by_hand(name)

    @reads
    async def list(self, state: str | None = None, workflow: str | None = None, limit: int = 50) -> list[Row]:
        """Executions, newest first: id, workflow, key, state, attempts, owner, waits_at, failures, resume_at, created_at, finished_at,
        error, given_up.

        States: invoking, finishing (beyond its point of no return: it goes on until it is done), compensating, done, reverted (failed, and
        everything was undone) and failed (an operator has to look at it, or has given it up). A waiting execution is continued
        at `resume_at`.
        """
        rows = await self._database.fetch(queries.LIST, {"state": state, "workflow": workflow, "limit": limit})
        return [_shown(row) for row in rows]

    @reads
    async def show(self, id: str) -> Row:
        """One execution with its input, its result, its steps, those that were answered from outside, and what is left to undo.
        Raises NotFound."""
        row = await self._database.fetch_one(queries.SHOW, {"id": id})
        if row is None:
            raise NotFound(f"Execution with id: {id} was not found")
        steps = row["steps"]
        if steps is None:
            steps = [f"{path} {reference}" for path, reference, _ in done(row["journal"])]
        return {
            **_shown(row),
            "input": unpack(row["input"]),
            "result": unpack(row["result"]) if row["result"] is not None else None,
            "steps": steps,
            "answered": [wait["step"] for wait in (row["waits"] or {}).values() if "answer" in wait],
            "to_undo": [f"{path} {reference}" for reference, path, *_ in unpack(row["undo"])] if row["undo"] is not None else [],
            "trace_id": row["trace_id"],
        }

    async def retry(self, id: str) -> None:
        """Continue a failed execution where it stopped: forward, or undoing if that is what failed.

        Raises NotFound; NotAllowed if it hasn't failed, or did so too long ago to continue; Conflict if another one with its key runs or
        has succeeded since.
        """
        try:
            if await self._database.fetch_value(queries.RETRY, {"id": id, "recorded": queries.MESSAGE_SECONDS * 0.9}) is not None:
                self._durable.nudge()
                return
        except InvalidData as error:  # from the unique index over workflow and key
            raise Conflict(f"Another execution with the key of {id} runs or has succeeded since.") from error
        state = (await self.show(id))["state"]
        if state == "failed":
            raise NotAllowed(
                f"Execution with id: {id} is too old to be taken up again", hint="Modules no longer know which of its writes were done."
            )
        raise NotAllowed(f"Execution with id: {id} is {state}; only a failed one can be tried again")

    async def give_up(self, id: str, by: str, reason: str, step: str | None = None) -> None:
        """End an execution that waits, or has failed. It becomes failed, with the operator's name and reason, and no coordinator continues
        it until it is tried again (`retry`).

        Nothing is undone, and the remaining steps aren't done: the operator has to see to both. `step`: only while it waits at that step.
        Raises NotFound; NotAllowed if it is over, was given up, or doesn't wait at that step, as one that was answered from outside never
        does again; Conflict while it is being carried out.
        """
        about = {"id": id, "given_up": {"by": by, "reason": reason}, "step": step}
        if await self._database.fetch_value(queries.GIVE_UP, about) is not None:
            log.warning("an execution was given up", execution=id, by=by, reason=reason)
            return
        row = await self.show(id)
        if row["state"] in LIVE_STATES and row["owner"] is not None and step not in row["answered"]:
            raise Conflict(f"Execution with id: {id} is just being carried out. Try again.")
        if step is not None:
            raise NotAllowed(f"The step {step} does not wait; the execution {id} is {row['state']}, and waits at {row['waits_at']}.")
        raise NotAllowed(f"Execution with id: {id} is {row['state']}; only one that waits or has failed can be given up, once")

    @reads
    async def metrics(self) -> Row:
        """What runs in this coordinator."""
        return self._durable.metrics()

    def samples(self) -> Iterator[Sample]:
        yield "velella_workflow_running", (), self._durable.metrics()["running"]
        for labels, timing in self._runs.items():
            yield "velella_workflow_duration_seconds", labels, timing.value
        feed = self._relay.feed
        for outcome in ("handed_on", "taken", "failed"):
            yield "velella_event_stream_total", (outcome,), feed.counts[outcome] if feed is not None else 0
        for outcome in ("told", "taken", "failed"):
            yield "velella_workflow_wakeups_total", (outcome,), self._wakeups.counts[outcome]

    # -- chores

    async def recover(self) -> int:
        """Take over executions whose coordinator is dead, now instead of within seconds. Returns how many."""
        return await self._durable.recover()

    async def catch_up(self) -> None:
        """Begin what is due by now, rather than at the next look: jobs, executions that waited, deliveries. For a clock that was moved."""
        await self._jobs.begin_due(scheduled_workflows())
        await self._durable.recover()
        await self._module_events.look()
        self._relay.nudge()

    def take_over_from(self, _: frozenset[ReplicaId]) -> None:
        """The supervisor gets no answer from some replicas: executions of dead ones are taken over now, not at the next check. The
        others may be alive: theirs are taken over when their leases have run out. So is what they were woken for."""
        self._woken(executions=True, deliveries=True)

    def _woken(self, executions: bool, deliveries: bool) -> None:
        if executions:
            self._durable.nudge()
        if deliveries:
            self._relay.woken()

    def _pause(self, alone: bool) -> float:
        """Seconds between two looks for executions; see `keep_recovering`."""
        return _spread(BEAT_SECONDS if alone else self._wakeups.pace(BEAT_SECONDS))

    async def clean(self) -> None:
        """Drop executions and events that have been kept long enough."""
        keep = {"delivered": queries.DELIVERED_SECONDS, "undelivered": queries.UNDELIVERED_SECONDS, "limit": DROP_AT_ONCE}
        while await self._database.execute(queries.DROP_EXECUTIONS, {"limit": DROP_AT_ONCE}) == DROP_AT_ONCE:
            pass
        while await self._database.execute(queries.DROP_EVENTS, keep) == DROP_AT_ONCE:
            pass
        await self._database.execute(queries.DROP_COORDINATORS)
        await self._database.execute(queries.DROP_SUBSCRIPTIONS, {"unseen": queries.UNSEEN_SECONDS})
        await self._jobs.drop_unseen()

    async def _forget_messages(self) -> None:
        """Have modules drop the records of writes that can't be repeated any more, and deltas that are no longer needed."""
        living = [row["id"] for row in await self._database.fetch(queries.LIVING, {"seconds": queries.MESSAGE_SECONDS})]
        for name, module in vars(self._flows.modules).items():
            try:
                await module.forget_messages(queries.MESSAGE_SECONDS, living)
                await module.forget_deltas()
            except Unavailable as error:  # the other modules still can
                log.warning("a module could not drop old messages", module=name, error=str(error))

    async def _beat(self) -> None:
        if self._lease.begun and (self._durable.metrics()["running"] or not self._lease.certain):
            await self._lease.beat()

    def _recurring(self, name: str) -> Callable[[], Awaitable[object]]:
        """The chore of running a workflow."""

        async def recur() -> None:
            await self.run(name, {})

        recur.__name__ = name
        return recur

    async def _repeat(self, seconds: float, chore: Callable[[], Awaitable[object]]) -> None:
        """Run a chore at intervals."""
        call_context.set(None)
        while True:
            await asyncio.sleep(_spread(seconds))
            try:
                await chore()
            except Exception as error:
                log.warning(
                    "a chore failed", chore=getattr(chore, "__name__", ""), error=str(error), exc_info=not isinstance(error, VelellaError)
                )

    async def _bury(self, run: Run, input: dict[str, Any]) -> None:
        await self._durable.bury(run, pack(input))


def _spread(seconds: float) -> float:
    """Seconds with jitter, so that coordinators don't run in step."""
    return seconds * random.uniform(0.8, 1.2)


def _shown(row: Any) -> Row:
    error = row["error"]
    return {
        "id": row["id"],
        "workflow": row["workflow"],
        "key": row["key"],
        "state": row["state"],
        "attempts": row["attempts"],
        "owner": row["owner"],
        "waits_at": "lock" if row["locked_since"] is not None else row["waits_at"],
        "failures": row["failures"],
        "resume_at": iso(row["resume_at"]) if row["resume_at"] is not None else None,
        "created_at": iso(row["started_at"]),
        "finished_at": iso(row["finished_at"]) if row["finished_at"] is not None else None,
        "error": f"{error[0]}: {error[1]}" if error else None,
        "given_up": row["given_up"],
    }


def create(context: HostContext) -> Coordinator:
    flows = FlowContext(context.modules, context.graph, context.settings, locks(context))
    packages = ("velella.workflows", *context.settings.plugins)
    replica = str(context.replica) if context.replica.pool != "local" else None  # hosts of tests and of the command line all have this name
    coordinator = Coordinator(
        flows,
        context.database("engine"),
        replica=replica,
        packages=packages,
        visits=context.visits,
        stream=None if context.visits else stream(context.settings),
        wakeups=wakeups(context.settings),
    )
    context.metrics.add(coordinator.samples)
    context.on_suspects(coordinator.take_over_from)
    return coordinator
