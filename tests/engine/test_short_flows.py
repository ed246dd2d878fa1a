"""Flows in memory: order of compensation, parallel groups, hooks, sub-workflows, time limits, retries."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from velella.core.errors import Busy, Conflict, DeadlineExceeded, NotAllowed, ReplyLost, TookDown, UnexpectedState
from velella.core.flow import Flow, FlowContext, on_hook, step, workflow
from velella.core.flow.journal import Outgrown
from velella.core.flow.run import Run
from velella.core.message import CallContext, call_context
from velella.core.settings import Settings

if TYPE_CHECKING:
    from toy_stage import Stage

done: list[str] = []


class NoLocks:
    async def take(self, keys: tuple[str, ...], owner: str, *, wait: float, lease: float) -> Any:
        raise Conflict("There are no locks here.")

    async def give_back(self, held: Any) -> None: ...


@pytest.fixture
def context() -> FlowContext:
    done.clear()
    settings = Settings(_env_file=None)
    return FlowContext(cast(Any, None), cast(Any, None), settings, NoLocks())


async def carry_out(context: FlowContext, flow: Any, **input: Any) -> tuple[Any, Run]:
    run = Run(context, flow)
    return await run.carry_out(input), run


async def put_back(flow: Flow, what: str) -> None:
    done.append(f"-{what}")


@step(undo=put_back)
async def take(flow: Flow, what: str, seconds: float = 0.0) -> str:
    await asyncio.sleep(seconds)
    done.append(f"+{what}")
    return what


@step
async def refuse(flow: Flow, seconds: float = 0.0) -> None:
    await asyncio.sleep(seconds)
    raise NotAllowed("No.")


@workflow("short-two", emits=("taken",))
async def two(flow: Flow, first: str, second: str) -> list[str]:
    flow.emit("taken", what=first)
    return [await flow.run(take, first), await flow.run(take, second)]


async def test_steps_are_undone_in_reverse_order_and_the_error_is_the_first_one(context: FlowContext) -> None:
    @workflow("short-reverse")
    async def reverse(flow: Flow) -> None:
        await flow.run(take, "a")
        await flow.run(two, "b", "c")
        await flow.run(take, "d")
        await flow.run(refuse)

    with pytest.raises(NotAllowed, match="No"):
        await carry_out(context, reverse)
    assert done == ["+a", "+b", "+c", "+d", "-d", "-c", "-b", "-a"]


async def test_a_parallel_group_is_waited_for_before_anything_is_undone(context: FlowContext) -> None:
    @workflow("short-parallel")
    async def parallel(flow: Flow) -> None:
        await flow.run(take, "a")
        await flow.parallel((take, "slow", 0.05), (refuse,), (take, "quick"))

    with pytest.raises(NotAllowed):
        await carry_out(context, parallel)
    assert done == ["+a", "+quick", "+slow", "-slow", "-quick", "-a"]


async def test_a_sub_workflow_whose_failure_is_caught_is_undone_by_itself(context: FlowContext) -> None:
    @workflow("short-inner", emits=("never",))
    async def inner(flow: Flow) -> None:
        flow.emit("never", told=True)
        await flow.run(take, "inner")
        await flow.run(refuse)

    @workflow("short-outer", emits=("caught",))
    async def outer(flow: Flow) -> str:
        await flow.run(take, "outer")
        try:
            await flow.run(inner)
        except NotAllowed:
            flow.emit("caught")
        return "fine"

    result, run = await carry_out(context, outer)
    assert result == "fine"
    assert done == ["+outer", "+inner", "-inner"]
    assert run.events == [("caught", {})]


async def test_hooks_run_their_handlers_in_order_and_are_undone_with_the_rest(context: FlowContext) -> None:
    @workflow("short-hooked", hooks=("validate",))
    async def hooked(flow: Flow, fail: bool) -> list[Any]:
        answers = await flow.hooks.validate("cart")
        if fail:
            await flow.run(refuse)
        return answers

    @on_hook("short-hooked", "validate")
    @step(reads=True)
    async def checked(flow: Flow, cart: str) -> str:  # by position, as a workflow of one's own may give it
        return f"checked {cart}"

    assert (await carry_out(context, hooked, fail=False))[0] == ["checked cart"], "they only look, so it stays short"

    @on_hook("short-hooked", "validate")
    @step(undo=put_back)
    async def noted(flow: Flow, cart: str) -> str:
        return f"noted {cart}"

    with pytest.raises(Outgrown):
        await carry_out(context, hooked, fail=False)
    assert await Run(context, hooked, settled=True).carry_out({"fail": False}) == ["checked cart", "noted cart"]
    with pytest.raises(NotAllowed):
        await Run(context, hooked, settled=True).carry_out({"fail": True})
    assert done == ["-noted cart"]


async def test_a_handler_for_a_hook_that_is_not_there_is_refused(context: FlowContext) -> None:
    @workflow("short-one-hook", hooks=("validate",))
    async def one_hook(flow: Flow) -> None: ...

    with pytest.raises(Exception, match="no hook vaildate"):

        @on_hook("short-one-hook", "vaildate")
        async def misspelt(flow: Flow) -> None: ...


async def test_time_limits_end_steps_and_whole_workflows(context: FlowContext) -> None:
    @step(timeout=0.05)
    async def hangs(flow: Flow) -> None:
        await asyncio.sleep(60)

    @workflow("short-limited-step")
    async def limited_step(flow: Flow) -> None:
        await flow.run(take, "a")
        await flow.run(hangs)

    @workflow("short-sleeping")
    async def sleeping(flow: Flow) -> None:
        await flow.run(take, "inner")
        await asyncio.sleep(60)

    @workflow("short-limited", timeout=0.05)
    async def limited(flow: Flow) -> None:
        await flow.run(take, "outer")
        await flow.run(sleeping)

    with pytest.raises(DeadlineExceeded, match="hangs"):
        await carry_out(context, limited_step)
    with pytest.raises(DeadlineExceeded, match="short-limited"):
        await carry_out(context, limited)
    assert done == ["+a", "-a", "+outer", "+inner", "-inner", "-outer"]


async def test_steps_are_tried_again_unless_the_asker_is_at_fault(context: FlowContext) -> None:
    tries: list[str] = []

    @step(retries=3)
    async def crowded(flow: Flow) -> str:
        flow.emit("tried")
        tries.append("crowded")
        if len(tries) < 3:
            raise Busy("Full.", retry_after=0.01)
        return "in"

    @step(retries=3)
    async def forbidden(flow: Flow) -> None:
        tries.append("forbidden")
        raise NotAllowed("No.")

    @workflow("short-retries", emits=("tried",))
    async def retrying(flow: Flow, which: str) -> Any:
        return await flow.run(crowded if which == "crowded" else forbidden)

    result, run = await carry_out(context, retrying, which="crowded")
    assert result == "in"
    assert tries == ["crowded"] * 3
    assert run.events == [("tried", {})], "an attempt that failed has told nothing"
    with pytest.raises(NotAllowed):
        await carry_out(context, retrying, which="forbidden")
    assert tries[3:] == ["forbidden"]


async def test_a_step_in_doubt_is_only_repeated_where_its_writes_are_recorded(context: FlowContext) -> None:
    scopes: list[str | None] = []

    async def lose(flow: Flow) -> None:
        call = call_context.get()
        scopes.append(call.scope if call is not None else None)
        raise DeadlineExceeded("Who knows?")

    recorded, unrecorded = step(retries=1)(lose), step()(lose)

    @workflow("short-doubt")
    async def doubt(flow: Flow, which: bool) -> None:
        await flow.run(recorded if which else unrecorded)

    for which in (True, False):
        with pytest.raises(DeadlineExceeded):
            await carry_out(context, doubt, which=which)
    first, second, third = scopes
    assert first is not None
    assert first == second, "the same message ids both times"
    assert third is None


async def test_the_one_write_of_a_short_flow_may_be_sent_again_and_is_done_once(here: Stage) -> None:
    tries: list[str] = []

    async def stubborn(flow: Flow, account: str, writes: int = 1) -> None:
        tries.append(account)
        for number in range(writes):
            await flow.modules.ledger.book(account, number)  # type: ignore[attr-defined]
        if tries.count(account) < 3:
            raise Busy("Full.", retry_after=0.01)

    @step
    async def lose(flow: Flow, account: str) -> None:
        tries.append(account)
        await flow.modules.ledger.book(account, 1)  # type: ignore[attr-defined]
        raise ReplyLost("Who knows?")

    from toy_ledger import book

    again = step(retries=2)(stubborn)

    @workflow("short-sent-again")
    async def sent_again(flow: Flow) -> None:
        await flow.run(again, "one step")

    @workflow("short-two-writes")
    async def two_writes(flow: Flow) -> None:
        await flow.run(again, "two writes", 2)

    @workflow("short-two-steps")
    async def two_steps(flow: Flow) -> None:
        await flow.run(book, "two steps", 7)
        await flow.run(again, "two steps")

    @workflow("short-in-doubt", retries=2)
    async def in_doubt(flow: Flow) -> None:
        await flow.run(lose, "whole flow")

    await here.coordinator.run("short-sent-again", {})
    assert (tries.count("one step"), await here.booked("one step")) == (3, [0]), "recorded under the same message id"
    for name, account in (("short-two-writes", "two writes"), ("short-two-steps", "two steps")):
        with pytest.raises(UnexpectedState, match="writes more than once"):
            await here.coordinator.run(name, {})
        assert len(await here.booked(account)) <= 1
    with pytest.raises(ReplyLost):
        await here.coordinator.run("short-in-doubt", {})
    assert await here.booked("whole flow") == [1], "a flow run again has other message ids"


@pytest.mark.parametrize("durable", [False, True])
async def test_a_message_that_its_process_died_of_takes_no_other_with_it(here: Stage, durable: bool) -> None:
    tries: list[str] = []

    async def hog_again(flow: Flow, _: Any) -> None:
        tries.append("undo")
        raise TookDown("It ended while it was busy with it.")

    @step(undo=hog_again)
    async def small(flow: Flow) -> None: ...

    @step(retries=3)
    async def hog(flow: Flow) -> None:
        tries.append("step")
        raise TookDown("It ended while it was busy with it.")

    @workflow(f"toy-hogging-{durable}", durable=durable, retries=2)
    async def hogging(flow: Flow) -> None:
        await flow.run(small)
        await flow.run(hog)

    with pytest.raises(TookDown):
        await here.coordinator.run(hogging.name, {})
    assert tries == ["step", "undo"]


async def test_a_failing_undo_is_tried_again_and_does_not_keep_the_others(context: FlowContext) -> None:
    attempts: list[str] = []

    async def stubborn(flow: Flow, _: Any) -> None:
        attempts.append("stubborn")
        if len(attempts) < 3:
            raise Busy("Full.", retry_after=0.01)

    async def hopeless(flow: Flow, _: Any) -> None:
        raise NotAllowed("It is too late.")

    first, second = step(undo=stubborn, name="first")(_nothing), step(undo=hopeless, name="second")(_nothing)

    @workflow("short-undo")
    async def undoing(flow: Flow) -> None:
        await flow.run(first)
        await flow.run(second)
        await flow.run(refuse)

    run = Run(context, undoing)
    with pytest.raises(NotAllowed, match=r"^No\.$"):
        await run.carry_out({})
    assert len(attempts) == 3
    assert [(entry.step.name, str(error)) for entry, error in run.unfinished] == [("second", "It is too late.")]


async def test_who_gives_up_waiting_leaves_nothing_half_done(context: FlowContext) -> None:
    @workflow("short-given-up")
    async def given_up(flow: Flow) -> None:
        await flow.run(take, "a")
        await asyncio.sleep(60)

    token = call_context.set(CallContext())
    task = asyncio.create_task(carry_out(context, given_up))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    call_context.reset(token)
    assert done == ["+a", "-a"]


async def test_a_step_does_not_run_steps_and_a_short_flow_that_runs_a_durable_one_is_too_small(context: FlowContext) -> None:
    @step
    async def greedy(flow: Flow) -> None:
        await flow.run(take, "a")

    @workflow("short-durable-inside", durable=True)
    async def durable(flow: Flow) -> None: ...

    @workflow("short-greedy")
    async def wrong(flow: Flow, which: bool) -> None:
        if which:
            await flow.run(greedy)
        else:
            await flow.run(durable)

    with pytest.raises(UnexpectedState):
        await carry_out(context, wrong, which=True)
    with pytest.raises(Outgrown):
        await carry_out(context, wrong, which=False)


async def _nothing(flow: Flow) -> None: ...
