"""Steps that wait for the outside: parked without a process, answered once, also when every process was replaced meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from velella.core.errors import GoesOn, NotAllowed, NotAnswered, NotFound, StepFailed, Unavailable, UnexpectedState
from velella.core.flow import Flow, Retry, Waits, step, workflow

if TYPE_CHECKING:
    from conftest import Look
    from toy_stage import Stage, ToyClock

asked: list[str] = []
called_off: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    asked.clear()
    called_off.clear()


async def call_off(flow: Flow, ticket: Any) -> None:
    called_off.append(ticket)


@step(waits=Waits(timeout=3 * 86_400), undo=call_off)
async def ask_factory(flow: Flow, what: str) -> str:
    asked.append(flow.idempotency_key)
    return f"ticket for {what}"


@pytest.fixture
def build(toy: Any) -> None:
    @workflow("toy-build", durable=True, key="what")
    async def toy_build(flow: Flow, what: str) -> Any:
        await flow.run(toy.toy_ledger.book, what, 1)
        built = await flow.run(ask_factory, what)
        await flow.run(toy.toy_ledger.book, what, 2)
        return built


async def state(stage: Stage, key: str = "boat", workflow: str = "toy-build") -> tuple[str, list[str]]:
    row = await stage.coordinator.outcome(workflow, key)
    return row["state"], row["waits"]


async def test_what_was_done_before_a_step_waits_is_seen_no_later_than_that(
    build: None, shop: Stage, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, seen = shop.coordinator._store, list[Any]()
    park = store.park

    async def looked_at(*args: Any, **kwargs: Any) -> bool:  # it waits by now, and isn't in the table yet
        [row] = await shop.coordinator.progress("toy-build")
        seen.append((row["steps"], row["waits"]))
        return await park(*args, **kwargs)

    monkeypatch.setattr(store, "park", looked_at)
    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-build", {"what": "boat"})
    [(steps, waits)] = seen
    assert waits == ["ask-factory"]
    assert len(steps) == 1
    await shop.coordinator.set_step_success("toy-build", "boat", "ask-factory", "built")
    assert await look(shop, 0) == 1
    assert await shop.coordinator.run("toy-build", {"what": "boat"}) == "built"
    assert await shop.booked("boat") == [1, 2]


async def test_what_was_asked_is_answered_after_every_process_was_replaced(
    build: None, engine_database: str, clock: ToyClock, look: Look
) -> None:
    from toy_stage import stage

    async with stage(engine_database, clock=clock) as one:
        with pytest.raises(GoesOn):
            await one.coordinator.run("toy-build", {"what": "boat"})
        assert await state(one) == ("invoking", ["ask-factory"])
        assert await look(one, 86_400) == 0, "it costs nothing while it waits"
    async with stage(engine_database, clock=clock) as other:
        await other.coordinator.set_step_success("toy-build", "boat", "ask-factory", {"built": 1.5})
        with pytest.raises(NotAllowed, match="does not wait"):
            await other.coordinator.set_step_success("toy-build", "boat", "ask-factory", "again")
    async with stage(engine_database, clock=clock) as third:
        assert await look(third, 0) == 1
        assert await third.coordinator.run("toy-build", {"what": "boat"}) == {"built": 1.5}
        assert await third.booked("boat") == [1, 2]
        with pytest.raises(NotAllowed, match="its status is ok"):
            await third.coordinator.set_step_success("toy-build", "boat", "ask-factory", "again")
    assert len(asked) == 1
    assert called_off == []


async def test_an_answer_counts_once_whoever_gives_it_at_the_same_time(build: None, shop: Stage, look: Look) -> None:
    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-build", {"what": "boat"})
    said = [shop.coordinator.set_step_success("toy-build", "boat", "ask-factory", n) for n in range(8)]
    said += [shop.coordinator.set_step_failure("toy-build", "boat", "ask-factory", n) for n in range(8)]
    heard = await asyncio.gather(*said, return_exceptions=True)
    assert sorted(type(one).__name__ for one in heard) == ["NoneType"] + ["NotAllowed"] * 15
    await look(shop, 0)
    counted = heard.index(None)
    assert await state(shop) == ("done" if counted < 8 else "reverted", [])


async def test_an_answer_may_come_while_the_step_is_still_asking(toy: Any, shop: Stage, look: Look) -> None:
    @step(waits=Waits())
    async def ask_quick_one(flow: Flow) -> None:
        await shop.coordinator.set_step_success("toy-quick", flow.execution_id, "ask-quick-one", "at once")

    @workflow("toy-quick", durable=True)
    async def quick(flow: Flow) -> Any:
        return await flow.run(ask_quick_one)

    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-quick", {})
    assert await look(shop, 0) == 1, "it is due at once"
    [row] = await shop.coordinator.list()
    assert (await shop.coordinator.outcome("toy-quick", row["id"]))["result"] == "at once"


async def test_a_failure_undoes_what_was_done_and_asked(build: None, shop: Stage, look: Look) -> None:
    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-build", {"what": "boat"})
    await shop.coordinator.set_step_failure("toy-build", "boat", "ask-factory", "no wood")
    await look(shop, 0)
    assert await state(shop) == ("reverted", [])
    assert (await shop.coordinator.outcome("toy-build", "boat"))["error"] == "The step ask-factory failed: no wood"
    assert await shop.booked("boat") == []
    assert called_off == ["ticket for boat"]
    with pytest.raises(NotAllowed):
        await shop.coordinator.set_step_success("toy-build", "boat", "ask-factory")


async def test_who_does_not_answer_in_time_has_failed(build: None, shop: Stage, look: Look) -> None:
    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-build", {"what": "boat"})
    assert await look(shop, 3 * 86_400 - 5) == 0
    assert await look(shop, 10) == 1
    assert await state(shop) == ("reverted", [])
    assert called_off == ["ticket for boat"]
    with pytest.raises(NotAllowed):
        await shop.coordinator.set_step_success("toy-build", "boat", "ask-factory")


async def test_a_flow_may_do_something_else_instead(toy: Any, shop: Stage, look: Look) -> None:
    @workflow("toy-elsewhere", durable=True, key="what")
    async def elsewhere(flow: Flow, what: str) -> Any:
        try:
            return await flow.run(ask_factory, what)
        except NotAnswered:
            return "nobody"
        except StepFailed as error:
            await flow.sleep(60)
            return await flow.run(ask_factory, f"{what} instead of {error.response}")

    for what in ("a", "b"):
        with pytest.raises(GoesOn):
            await shop.coordinator.run("toy-elsewhere", {"what": what})
    await shop.coordinator.set_step_failure("toy-elsewhere", "b", "ask-factory", 7)
    await look(shop, 0)
    await look(shop, 61)
    assert await state(shop, "b", "toy-elsewhere") == ("invoking", ["ask-factory-2"])
    await shop.coordinator.set_step_success("toy-elsewhere", "b", "ask-factory-2", "built", undo="bill")
    await look(shop, 4 * 86_400)
    outcomes = [(await shop.coordinator.outcome("toy-elsewhere", what))["result"] for what in "ab"]
    assert outcomes == ["nobody", "built"]


async def test_what_is_asked_side_by_side_is_waited_for_together(toy: Any, shop: Stage, look: Look) -> None:
    @workflow("toy-both", durable=True, key="what")
    async def both(flow: Flow, what: str) -> Any:
        return await flow.parallel((ask_factory, what), (ask_factory, "sails"))

    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-both", {"what": "boat"})
    assert await state(shop, workflow="toy-both") == ("invoking", ["ask-factory", "ask-factory-2"])
    await shop.coordinator.set_step_success("toy-both", "boat", "ask-factory-2", 2)
    assert await look(shop, 0) == 1
    assert await look(shop, 0) == 0, "what it has heard doesn't wake it again"
    await shop.coordinator.set_step_success("toy-both", "boat", "ask-factory", 1)
    await look(shop, 0)
    assert (await shop.coordinator.outcome("toy-both", "boat"))["result"] == [1, 2]
    assert len(asked) == 2


async def test_beyond_the_pivot_a_step_that_failed_is_asked_again_under_another_key(toy: Any, shop: Stage, look: Look) -> None:
    @workflow("toy-paid-build", durable=True, key="what")
    async def paid_build(flow: Flow, what: str) -> Any:
        await flow.run(toy.charge)
        return await flow.run(ask_factory, what)

    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-paid-build", {"what": "boat"})
    await shop.coordinator.set_step_failure("toy-paid-build", "boat", "ask-factory", "no wood")
    await look(shop, 0)
    assert await state(shop, workflow="toy-paid-build") == ("finishing", [])
    with pytest.raises(NotAllowed):  # what isn't asked yet can't be answered
        await shop.coordinator.set_step_success("toy-paid-build", "boat", "ask-factory", "late")
    assert await look(shop, 5) == 1
    assert await state(shop, workflow="toy-paid-build") == ("finishing", ["ask-factory"])
    await shop.coordinator.set_step_success("toy-paid-build", "boat", "ask-factory", "built")
    await look(shop, 0)
    assert (await shop.coordinator.outcome("toy-paid-build", "boat"))["result"] == "built"
    assert len(set(asked)) == len(asked) == 2


async def test_a_refusal_by_who_is_asked_leaves_nothing_to_be_answered(toy: Any, shop: Stage, look: Look) -> None:
    @step(waits=Waits())
    async def ask_in_vain(flow: Flow) -> None:
        raise NotAllowed("Closed.")

    @workflow("toy-vain", durable=True, key="what")
    async def vain(flow: Flow, what: str) -> Any:
        try:
            await flow.run(ask_in_vain)
        except NotAllowed:
            await flow.sleep(60)
        return "shut"

    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-vain", {"what": "a"})
    assert await state(shop, "a", "toy-vain") == ("invoking", [])
    with pytest.raises(NotAllowed):
        await shop.coordinator.set_step_success("toy-vain", "a", "ask-in-vain")
    await look(shop, 61)
    assert (await shop.coordinator.outcome("toy-vain", "a"))["result"] == "shut"


async def test_only_durable_flows_wait_and_only_what_is_there_is_answered(toy: Any, shop: Stage) -> None:
    @workflow("toy-short-wait")
    async def short(flow: Flow) -> None:
        await flow.run(ask_factory, "x")

    with pytest.raises(UnexpectedState, match="only durable ones wait"):
        await shop.coordinator.run("toy-short-wait", {})
    with pytest.raises(NotFound):
        await shop.coordinator.set_step_success("toy-short-wait", "none", "ask-factory")
    with pytest.raises(NotFound):
        await shop.coordinator.outcome("toy-short-wait", "none")
    assert asked == []


@pytest.mark.parametrize("times", [0, 2])
async def test_a_step_is_tried_so_many_times_at_its_interval(toy: Any, shop: Stage, look: Look, times: int) -> None:
    tries: list[int] = []

    @step(retry=Retry(interval=60, factor=1, times=times))
    async def fail(flow: Flow) -> None:
        tries.append(1)
        raise Unavailable("Away.")

    @workflow("toy-tries", durable=True)
    async def trying(flow: Flow) -> None:
        await flow.run(toy.toy_ledger.book, "t", 1)
        await flow.run(fail)

    with pytest.raises(Unavailable):
        await shop.coordinator.run("toy-tries", {})
    for _ in range(times + 1):
        await look(shop, 61)
    assert len(tries) == times + 1
    assert await shop.booked("t") == []


@pytest.mark.parametrize("retry", [None, Retry(interval=60, factor=1, times=1)])
async def test_a_flow_that_goes_on_after_a_failure_takes_the_same_way_again(toy: Any, shop: Stage, look: Look, retry: Retry | None) -> None:
    """Though the step would be done by now."""
    failures = [Unavailable("Away.")] * (1 if retry is None else 2)

    @step(retry=retry)
    async def fail(flow: Flow) -> None:
        if failures:
            raise failures.pop()

    @workflow("toy-goes-on", durable=True)
    async def goes_on(flow: Flow) -> None:
        try:
            await flow.run(fail)
        except Unavailable:
            await flow.run(toy.toy_ledger.book, "instead", 1)
        await flow.sleep(60)
        await flow.run(toy.toy_ledger.book, "after", 2)

    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-goes-on", {})
    for _ in range(3):
        await look(shop, 61)
    assert not failures
    assert [row["state"] for row in await shop.coordinator.list()] == ["done"]
    assert (await shop.booked("instead"), await shop.booked("after")) == ([1], [2])
