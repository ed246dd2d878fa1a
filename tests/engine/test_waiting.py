"""Executions that wait in the table: for a time, for another attempt, for another execution that they have called."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from velella.core.errors import Conflict, DeadlineExceeded, GoesOn, NotAllowed, ReplyLost, Unavailable, UnexpectedState
from velella.core.flow import Flow, Retry, step, workflow
from velella.core.flow.run import UNDO_ATTEMPTS
from velella.core.sql.db.compiled import Compiled

if TYPE_CHECKING:
    from conftest import Look
    from toy_stage import Stage, ToyClock

DAY = 86_400.0


async def states(stage: Stage) -> dict[str, str]:
    return {row["workflow"]: row["state"] for row in await stage.coordinator.list()}


# -- timers


async def test_a_flow_sleeps_for_a_month_and_wakes_in_another_process(toy: Any, engine_database: str, clock: ToyClock, look: Look) -> None:
    from toy_stage import stage

    @workflow("toy-remind", durable=True, key="account")
    async def remind(flow: Flow, account: str) -> str:
        await flow.run(toy.toy_ledger.book, account, 1)
        await flow.sleep(30 * DAY)
        await flow.run(toy.toy_ledger.book, account, 2)
        await flow.sleep(5)
        return "reminded"

    async with stage(engine_database, clock=clock) as one:
        with pytest.raises(GoesOn, match="goes on by itself"):
            await one.coordinator.run("toy-remind", {"account": "a"})
        [row] = await one.coordinator.list()
        assert (row["state"], row["owner"], row["waits_at"], row["error"]) == ("invoking", None, "2 sleep", None)
        assert (await one.coordinator.metrics())["running"] == 0, "nothing is kept in a process"
    async with stage(engine_database, clock=clock) as other:
        assert await look(other, 29 * DAY) == 0
        assert await other.booked("a") == [1]
        with pytest.raises(GoesOn):
            await other.coordinator.run("toy-remind", {"account": "a"})
        assert await look(other, 1.1 * DAY) == 1
        assert await other.booked("a") == [1, 2]
        await other.coordinator._forget_messages()
        assert await look(other, 6) == 1
        assert await other.coordinator.run("toy-remind", {"account": "a"}) == "reminded"
        assert await other.booked("a") == [1, 2], "what was done a month ago isn't done again"


async def test_two_that_sleep_beside_each_other_sleep_as_long_as_each_of_them(toy: Any, shop: Stage, look: Look) -> None:
    @workflow("toy-nap")
    async def nap(flow: Flow, account: str, seconds: float) -> None:
        await flow.sleep(seconds)
        await flow.run(toy.toy_ledger.book, account, int(seconds))

    @workflow("toy-naps", durable=True)
    async def naps(flow: Flow) -> None:
        await flow.parallel((nap, "a", 300.0), (nap, "a", 100.0))

    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-naps", {})
    await look(shop, 101)
    assert await shop.booked("a") == [100]
    await look(shop, 150)
    assert await shop.booked("a") == [100]
    await look(shop, 50)
    assert await shop.booked("a") == [100, 300]


async def test_locks_are_not_held_in_sleep(toy: Any, shop: Stage, look: Look) -> None:
    @workflow("toy-locked", durable=True, key="account")
    async def locked(flow: Flow, account: str, seconds: float) -> None:
        async with flow.lock("the-lock", wait=0.0):
            await flow.run(toy.toy_ledger.book, account, 1)
            await flow.sleep(seconds)

    for account in "ab":
        with pytest.raises(GoesOn):
            await shop.coordinator.run("toy-locked", {"account": account, "seconds": 10.0})
    await look(shop, 11)
    assert {row["state"] for row in await shop.coordinator.list()} == {"done"}


async def test_who_nobody_waits_for_waits_for_a_lock_in_the_table(
    toy: Any, shop: Stage, engine_database: str, clock: ToyClock, look: Look
) -> None:
    """With what it has done, beside how often a step has failed, and for a day. Who waits for it hears of the lock."""
    from toy_stage import stage

    moods: list[Exception] = []

    @step(retry=Retry(interval=1.0, factor=1.0, times=1))
    async def moody(flow: Flow) -> None:
        if moods:
            raise moods.pop()

    @workflow("toy-takes-turns", durable=True, key="account")
    async def takes_turns(flow: Flow, account: str) -> str:
        await flow.run(toy.toy_ledger.book, account, 1)
        async with flow.lock("turn", wait=0.05):
            await flow.run(moody)
            await flow.run(toy.toy_ledger.book, account, 2)
        return "had its turn"

    @workflow("toy-has-one-take-turns", durable=True, key="account")
    async def caller(flow: Flow, account: str) -> str:
        return await flow.call(takes_turns, account=account)

    async def row(workflow: str, key: str) -> dict[str, Any]:
        return next(row for row in await shop.coordinator.list(workflow=workflow) if row["key"] == key)

    held = await shop.locks.take("turn", "another", wait=1, lease=600)
    for name in ("toy-takes-turns", "toy-has-one-take-turns"):
        with pytest.raises(Conflict, match="turn is being changed elsewhere"):
            await shop.coordinator.run(name, {"account": "heard"})
        assert (await row(name, "heard"))["state"] == "reverted"
    assert await shop.booked("heard") == []

    await shop.coordinator.start_durable("toy-has-one-take-turns", {"account": "called"})
    await shop.coordinator.start_durable("toy-takes-turns", {"account": "a"})
    for seconds in (0, 2, 4):
        await look(shop, seconds)
        for waiting in (await row("toy-takes-turns", "a"), await row("toy-has-one-take-turns", "called")):
            assert (waiting["state"], waiting["owner"], waiting["waits_at"]) == ("invoking", None, "lock")
            assert "is being changed elsewhere" in waiting["error"]
            assert waiting["resume_at"] is not None
        assert await shop.booked("a") == [1]
    with pytest.raises(GoesOn, match="turn is being changed elsewhere"):
        await shop.coordinator.run("toy-takes-turns", {"account": "a"})

    await shop.locks.give_back(held)
    moods[:] = [Unavailable("Away.")]
    await look(shop, 9)
    assert (await shop.booked("a"), moods) == ([1], [])
    waiting = await row("toy-takes-turns", "a")
    assert (waiting["waits_at"], waiting["failures"]) == ("2 moody", 1)
    held = await shop.locks.take("turn", "another", wait=1, lease=600)
    await look(shop, 2)
    waiting = await row("toy-takes-turns", "a")
    assert (waiting["waits_at"], waiting["failures"]) == ("lock", 1), "it has failed once, whoever's turn it is"
    await shop.locks.give_back(held)
    async with stage(engine_database, "another", clock) as another:
        for _ in range(3):
            await look(another, 61)
        assert {each["state"] for each in await another.coordinator.list()} == {"done", "reverted"}
        assert await another.booked("a") == await another.booked("called") == [1, 2]

    held = await shop.locks.take("turn", "another", wait=1, lease=600)
    await shop.coordinator.start_durable("toy-takes-turns", {"account": "b"})
    await look(shop, 0)
    await look(shop, DAY - 60)
    assert await shop.booked("b") == [1]
    await look(shop, 120)
    assert ((await row("toy-takes-turns", "b"))["state"], await shop.booked("b")) == ("reverted", [])

    await shop.coordinator.start_durable("toy-takes-turns", {"account": "c"})
    await look(shop, 0)
    await shop.database.script("UPDATE workflow_execution SET owner = 'wfco_dead', resume_at = NULL WHERE key = 'c'")
    for _ in range(2):
        await look(shop, DAY)
        left = await row("toy-takes-turns", "c")
        assert (left["state"], left["attempts"], left["waits_at"]) == ("finishing", 2, "lock"), "the dead one may have had its turn"
    await shop.locks.give_back(held)
    await look(shop, 61)
    assert ((await row("toy-takes-turns", "c"))["state"], await shop.booked("c")) == ("done", [1, 2])


async def test_every_lock_is_waited_for_from_when_it_was_asked_for(toy: Any, shop: Stage, look: Look) -> None:
    @workflow("toy-one-after-another", durable=True)
    async def one_after_another(flow: Flow, account: str, writes: bool) -> None:
        for number, name in enumerate(("early", "late")):
            async with flow.lock(name, wait=0.05):
                if writes:
                    await flow.run(toy.toy_ledger.book, account, number)
                else:
                    await flow.run(seen)

    @step(reads=True)
    async def seen(flow: Flow) -> None: ...

    for writes in (True, False):
        early, late = [await shop.locks.take(name, "another", wait=1, lease=10 * DAY) for name in ("early", "late")]
        id = await shop.coordinator.start_durable("toy-one-after-another", {"account": "a", "writes": writes})
        await look(shop, 0)
        await look(shop, DAY - 60)
        await shop.locks.give_back(early)
        await look(shop, 61)
        await look(shop, DAY - 60)
        assert (await shop.coordinator.show(id))["state"] in ("invoking", "finishing")
        await look(shop, 121)
        assert (await shop.coordinator.show(id))["state"] == "reverted"
        await shop.locks.give_back(late)


async def test_what_was_read_under_a_lock_is_not_taken_for_true_after_waiting_for_another(toy: Any, shop: Stage, look: Look) -> None:
    @workflow("toy-two-locks", durable=True)
    async def two_locks(flow: Flow, account: str, reads: bool) -> int:
        async with flow.lock("first", wait=0.05):
            booked = len(await flow.modules.ledger.entries(account)) if reads else 0  # type: ignore[attr-defined]
            async with flow.lock("second", wait=0.05):
                await flow.run(toy.toy_ledger.book, account, 10 + booked)
        return booked

    held = await shop.locks.take("second", "another", wait=1, lease=600)
    for reads, state in ((False, "invoking"), (True, "reverted")):
        id = await shop.coordinator.start_durable("toy-two-locks", {"account": "a", "reads": reads})
        await look(shop, 0)
        assert (await shop.coordinator.show(id))["state"] == state
    await shop.locks.give_back(await shop.locks.take("first", "another", wait=1, lease=600))
    await shop.locks.give_back(held)
    await look(shop, 5)
    assert await shop.booked("a") == [10]


async def test_a_short_flow_does_not_sleep(shop: Stage) -> None:
    @workflow("toy-sleepless")
    async def sleepless(flow: Flow) -> None:
        await flow.sleep(1)

    with pytest.raises(UnexpectedState, match="short"):
        await shop.coordinator.run("toy-sleepless", {})


# -- steps that are tried again at intervals


async def test_a_step_is_tried_again_for_days_and_then_the_flow_fails(toy: Any, shop: Stage, look: Look) -> None:
    errors: list[Exception] = [Unavailable("Closed.")] * 100

    @step(retry=Retry(interval=3600, factor=2, most=DAY, during=3 * DAY))
    async def ask(flow: Flow) -> str:
        toy.tries["ask"] += 1
        if errors:
            raise errors.pop()
        return "open"

    @workflow("toy-patient", durable=True, key="account")
    async def patient(flow: Flow, account: str) -> str:
        await flow.run(toy.toy_ledger.book, account, 1)
        return await flow.run(ask)

    with pytest.raises(GoesOn, match="Closed"):
        await shop.coordinator.run("toy-patient", {"account": "a"})
    assert await states(shop) == {"toy-patient": "invoking"}
    for hours in (1, 2, 4, 8, 16, 24):
        assert await look(shop, hours * 3600 - 60) == 0
        assert await look(shop, 120) == 1
    assert toy.tries["ask"] == 7
    [row] = await shop.coordinator.list()
    assert (row["state"], row["failures"]) == ("invoking", 7)
    assert await shop.booked("a") == [1]
    assert await look(shop, DAY + 60) == 1
    assert await states(shop) == {"toy-patient": "reverted"}, "after three days its failure is final"
    assert await shop.booked("a") == []

    errors[:] = [Unavailable("Closed.")]
    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-patient", {"account": "b"})
    await look(shop, 3700)
    assert await shop.coordinator.run("toy-patient", {"account": "b"}) == "open"


async def test_what_a_step_has_done_is_known_for_as_long_as_it_is_tried(toy: Any, shop: Stage, look: Look) -> None:
    errors: list[Exception] = [Unavailable("Closed.")] * 3

    @step(retry=Retry(interval=DAY, factor=1, most=DAY))
    async def book_and_ask(flow: Flow) -> str:
        made: str = await flow.modules.ledger.book("a", 1)  # type: ignore[attr-defined]
        if errors:
            raise errors.pop()
        return made

    @workflow("toy-slow-asker", durable=True)
    async def asker(flow: Flow) -> str:
        return await flow.run(book_and_ask)

    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-slow-asker", {})
    for _ in range(3):
        await look(shop, 1.1 * DAY)
        await shop.coordinator._forget_messages()
    assert await states(shop) == {"toy-slow-asker": "done"}
    assert await shop.booked("a") == [1]


async def test_a_refusal_is_not_tried_again(toy: Any, shop: Stage) -> None:
    @step(retry=Retry())
    async def refuse(flow: Flow) -> None:
        raise NotAllowed("Never.")

    @workflow("toy-refused", durable=True)
    async def refused(flow: Flow) -> None:
        await flow.run(toy.toy_ledger.book, "a", 1)
        await flow.run(refuse)

    with pytest.raises(NotAllowed):
        await shop.coordinator.run("toy-refused", {})
    assert await shop.booked("a") == []


# -- calling


async def test_what_is_called_is_an_execution_of_its_own(toy: Any, shop: Stage) -> None:
    @workflow("toy-caller-own", durable=True)
    async def caller(flow: Flow, account: str) -> str:
        result = await flow.call(toy.buy, account=account)
        await flow.run(toy.toy_ledger.book, account, 9)
        if account == "refused":
            await flow.run(refuse)
        return result

    @step
    async def refuse(flow: Flow) -> None:
        raise NotAllowed("No.")

    assert await shop.coordinator.run("toy-caller-own", {"account": "a"}) == "bought"
    assert await states(shop) == {"toy-buy": "done", "toy-caller-own": "done"}
    assert await shop.coordinator.run("toy-buy", {"account": "a"}) == "bought"
    assert await shop.booked("a") == [1, 5, 9]
    with pytest.raises(NotAllowed):
        await shop.coordinator.run("toy-caller-own", {"account": "refused"})
    assert await shop.booked("refused") == [1, 5], "it isn't undone with who called it"


async def test_a_refusal_of_what_is_called_is_the_callers_to_hear(toy: Any, shop: Stage) -> None:
    @workflow("toy-caller-refused", durable=True)
    async def caller(flow: Flow, account: str) -> str:
        await flow.run(toy.toy_ledger.book, "caller", 1)
        try:
            return await flow.call(toy.buy, account=account)
        except NotAllowed as error:
            return error.message

    toy.provider.moods = [NotAllowed("No money.")]
    assert await shop.coordinator.run("toy-caller-refused", {"account": "a"}) == "No money."
    assert await states(shop) == {"toy-buy": "reverted", "toy-caller-refused": "done"}
    assert await shop.booked("caller") == [1]


async def test_who_calls_waits_in_the_table_for_what_waits_itself(toy: Any, shop: Stage, look: Look) -> None:
    @workflow("toy-caller-waiting", durable=True, key="account")
    async def caller(flow: Flow, account: str) -> str:
        await flow.run(toy.toy_ledger.book, "caller", 1)
        return await flow.call(toy.buy, account=account, answers=False)

    toy.later[:] = [Unavailable("Away.")] * 2
    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-caller-waiting", {"account": "a"})
    assert await states(shop) == {"toy-buy": "finishing", "toy-caller-waiting": "invoking"}
    for _ in range(4):
        await look(shop, 5)
    assert await states(shop) == {"toy-buy": "done", "toy-caller-waiting": "done"}
    assert await shop.booked("a") == [1, 5]
    assert await shop.booked("caller") == [1]
    assert await shop.coordinator.run("toy-caller-waiting", {"account": "a"}) == "done"


async def test_what_is_called_is_carried_out_again_where_it_failed(toy: Any, shop: Stage, look: Look) -> None:
    """As long as the caller says, and under the same key; a refusal is heard at once."""
    errors: list[Exception] = []

    @workflow("toy-called-again", durable=True, key="account")
    async def called(flow: Flow, account: str) -> str:
        await flow.run(toy.toy_ledger.book, account, 1)
        if errors:
            raise errors.pop()
        return "bought"

    @workflow("toy-caller-again", durable=True, key="account")
    async def caller(flow: Flow, account: str) -> str:
        first = await flow.call(called, retry=Retry(interval=60.0, factor=1.0, times=2), account=account)
        await flow.run(toy.toy_ledger.book, "caller", 1)
        return first

    for account, failures, outcome in (
        ("a", [Unavailable("Away.")] * 2, "done"),
        ("b", [Unavailable("Away.")] * 3, "reverted"),
        ("c", [NotAllowed("No money.")], "reverted"),
    ):
        await shop.database.script("DELETE FROM workflow_execution")
        errors[:] = failures
        with pytest.raises((GoesOn, NotAllowed)):
            await shop.coordinator.run("toy-caller-again", {"account": account})
        for again in range(2):
            assert (await states(shop))["toy-caller-again"] == ("invoking" if len(failures) > 1 else outcome), (account, again)
            await look(shop, 61)
        assert (await states(shop))["toy-caller-again"] == outcome, account
        assert not errors
    assert await shop.booked("a") == [1]
    assert await shop.booked("b") == await shop.booked("c") == []
    assert await shop.booked("caller") == [1]


@pytest.mark.parametrize(("meanwhile", "heard"), [("nothing", "Away."), ("another start", "bought"), ("a retry", "bought")])
async def test_who_waits_in_the_table_hears_how_what_it_has_called_has_ended(
    toy: Any, shop: Stage, look: Look, meanwhile: str, heard: str
) -> None:
    """Once, however long ago it failed; unless the caller has it carried out again, or somebody else had."""
    runs: list[str] = []

    @workflow("toy-fails-late", durable=True, key="account")
    async def called(flow: Flow, account: str) -> str:
        await flow.run(toy.toy_ledger.book, account, 1)
        await flow.sleep(100)
        runs.append(account)
        if len(runs) == 1:
            raise Unavailable("Away.")
        return "bought"

    @workflow("toy-hears-late", durable=True, key="account")
    async def caller(flow: Flow, account: str) -> str:
        try:
            return await flow.call(called, retry=Retry(during=DAY) if meanwhile == "a retry" else None, account=account)
        except Unavailable as error:
            return error.message

    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-hears-late", {"account": "a"})
    for seconds in (2, 3, 5, 10, 20, 40, 22):  # it fails in the last of these, while its caller waits in the table
        await look(shop, seconds)
    assert runs == ["a"]
    journal = Compiled("SELECT cardinality(journal) FROM workflow_execution WHERE workflow = 'toy-hears-late'")
    assert await shop.database.fetch_value(journal) == 1, "however often it has looked"
    if meanwhile == "another start":
        with pytest.raises(GoesOn):
            await shop.coordinator.run("toy-fails-late", {"account": "a"})
    for _ in range(5):
        await look(shop, 300)
    assert (await shop.coordinator.outcome("toy-hears-late", "a"))["result"] == heard
    assert runs == (["a"] if meanwhile == "nothing" else ["a", "a"])
    assert await shop.booked("a") == ([] if meanwhile == "nothing" else [1])


async def test_who_calls_goes_on_with_an_answer(toy: Any, shop: Stage) -> None:
    @workflow("toy-caller-answered", durable=True)
    async def caller(flow: Flow) -> str:
        return await flow.call(toy.buy, account="a")

    toy.later[:] = [Unavailable("Away.")]
    assert await shop.coordinator.run("toy-caller-answered", {}) == "bought"
    assert await states(shop) == {"toy-buy": "finishing", "toy-caller-answered": "done"}


async def test_a_short_flow_calls_too(toy: Any, shop: Stage) -> None:
    @workflow("toy-short-caller")
    async def caller(flow: Flow) -> str:
        return await flow.call(toy.buy, account="a")

    assert await shop.coordinator.run("toy-short-caller", {}) == "bought"
    toy.later[:] = [Unavailable("Away.")]
    await shop.database.script("DELETE FROM workflow_execution")
    assert await shop.coordinator.run("toy-short-caller", {}) == "bought"


async def test_what_is_called_without_a_key_is_called_once_from_each_place(toy: Any, shop: Stage, look: Look) -> None:
    @workflow("toy-keyless", durable=True)
    async def keyless(flow: Flow, amount: int) -> int:
        await flow.run(toy.toy_ledger.book, "keyless", amount)
        return amount

    @workflow("toy-caller-keyless-caller", durable=True, key="name")
    async def caller(flow: Flow, name: str) -> list[int]:
        first = await flow.call(keyless, amount=1)
        second = await flow.call(keyless, amount=2)
        await flow.sleep(10)
        return [first, second]

    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-caller-keyless-caller", {"name": "a"})
    await look(shop, 11)
    assert await shop.coordinator.run("toy-caller-keyless-caller", {"name": "a"}) == [1, 2]
    assert await shop.booked("keyless") == [1, 2]


async def test_a_durable_workflow_is_not_run_as_a_part_of_another_one(toy: Any, shop: Stage) -> None:
    @workflow("toy-part", durable=True)
    async def part(flow: Flow) -> str:
        return await flow.run(toy.buy, "a")

    @workflow("toy-short-part")
    async def short_part(flow: Flow) -> str:
        return await flow.run(toy.buy, "a")

    for name in ("toy-part", "toy-short-part"):
        with pytest.raises(UnexpectedState, match="durable"):
            await shop.coordinator.run(name, {})
    assert await shop.booked("a") == []


async def test_many_wait_for_one_and_another_begins_to_be_waited_for_meanwhile(engine_database: str) -> None:
    """Ids that come while the database is being asked are not taken for gone."""
    from velella.actors.engine.store import ExecutionOutcome
    from velella.actors.engine.waiting import Outcomes

    asking, go_on = asyncio.Event(), asyncio.Event()

    class Store:
        async def outcomes(self, ids: list[str]) -> dict[str, ExecutionOutcome]:
            asking.set()
            await go_on.wait()
            return {id: ExecutionOutcome(id, "done", None, None, None) for id in ids}

    outcomes = Outcomes(Store())  # type: ignore[arg-type]
    first = asyncio.create_task(outcomes.of("wfex_first"))
    await asking.wait()
    second = asyncio.create_task(outcomes.of("wfex_second"))
    await asyncio.sleep(0)
    go_on.set()
    assert (await first).id == "wfex_first"
    assert (await second).id == "wfex_second"
    await outcomes.stop()


# -- starting others


async def test_what_a_flow_starts_is_started_once_and_not_taken_back(toy: Any, shop: Stage, look: Look) -> None:
    """Also where it failed and was undone meanwhile, and the flow runs again."""

    @workflow("toy-errand", durable=True)
    async def errand(flow: Flow, account: str) -> None:
        await flow.run(toy.toy_ledger.book, account, 1)
        if account == "fails":
            raise NotAllowed("No.")

    @workflow("toy-sender", durable=True, key="n")
    async def sender(flow: Flow, n: int) -> list[str]:
        started = [await flow.start(errand, account=account) for account in ("goes", "fails")]
        await flow.sleep(60)
        if n == 2:
            raise NotAllowed("It fails itself.")
        return started

    @workflow("toy-sends-and-is-short")
    async def short(flow: Flow) -> None:
        await flow.start(errand, account="short")

    for n in (1, 2):
        with pytest.raises(GoesOn):
            await shop.coordinator.run("toy-sender", {"n": n})
        await look(shop, 0)
        await look(shop, 61)
    assert (await shop.coordinator.show((await shop.coordinator.list(workflow="toy-sender"))[1]["id"]))["state"] == "done"
    assert sorted(row["state"] for row in await shop.coordinator.list(workflow="toy-errand")) == ["done", "done", "reverted", "reverted"]
    assert await shop.booked("goes") == [1, 1], "the second sender was undone, what it started wasn't"
    assert await shop.booked("fails") == []
    started = (await shop.coordinator.outcome("toy-sender", "1"))["result"]
    assert [(await shop.coordinator.outcome("toy-errand", each))["state"] for each in started] == ["done", "reverted"]
    await shop.coordinator.run("toy-sends-and-is-short", {})
    assert [row["state"] for row in await shop.coordinator.list(workflow="toy-sends-and-is-short")] == ["done"], "it has a row"
    await look(shop, 0)
    assert await shop.booked("short") == [1]


# -- undoing


@pytest.mark.parametrize("what", ["whole", "part"])
async def test_nothing_counts_as_undone_before_it_is_written_down_that_it_is_to_be(
    toy: Any, shop: Stage, look: Look, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The database may be away just then, and there again a moment later."""

    @workflow("toy-refused-part")
    async def part(flow: Flow, account: str) -> None:
        await flow.run(toy.toy_ledger.book, account, 2)
        await flow.run(toy.toy_ledger.refuse, False)

    @workflow("toy-refused-whole", durable=True, key="account")
    async def whole(flow: Flow, account: str) -> None:
        await flow.run(toy.toy_ledger.book, account, 1)
        await flow.run(part, account)

    store, away = shop.coordinator._store, [Unavailable("Away.")]
    method = "compensate" if what == "whole" else "append"
    write = getattr(store, method)

    async def perhaps(*args: Any) -> bool:
        if away:
            raise away.pop()
        done: bool = await write(*args)
        return done

    monkeypatch.setattr(store, method, perhaps)
    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-refused-whole", {"account": "a"})
    assert await states(shop) == {"toy-refused-whole": "invoking"}
    await look(shop, 2)
    assert await states(shop) == {"toy-refused-whole": "reverted"}
    assert await shop.booked("a") == []


@pytest.mark.parametrize("where", ["at its end", "on its way"])
async def test_what_may_have_been_done_is_undone_also_by_a_later_run(
    toy: Any, shop: Stage, look: Look, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The step's answer never came, and the flow that got its failure is run again: because the database was away when it was to be written
    down that it is undone, or because it has waited."""
    slow = [1.0]

    async def strike(flow: Flow, id: str) -> None:
        await flow.modules.ledger.strike(id)  # type: ignore[attr-defined]

    @step(undo=strike, timeout=0.1)
    async def book_and_linger(flow: Flow, account: str) -> str:
        made: str = await flow.modules.ledger.book(account, 7)  # type: ignore[attr-defined]
        await asyncio.sleep(slow.pop() if slow else 0.0)
        return made

    @workflow("toy-doubted", durable=True)
    async def doubted(flow: Flow, account: str) -> None:
        try:
            await flow.run(book_and_linger, account)
        except DeadlineExceeded:
            if where == "at its end":
                raise
        await flow.sleep(1)
        await flow.run(toy.toy_ledger.refuse, False)

    store, away = shop.coordinator._store, [Unavailable("Away.")] if where == "at its end" else []
    compensate = store.compensate

    async def perhaps(*args: Any) -> bool:
        if away:
            raise away.pop()
        return await compensate(*args)

    monkeypatch.setattr(store, "compensate", perhaps)
    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-doubted", {"account": "a"})
    assert await shop.booked("a") == [7]
    await look(shop, 2)
    assert await states(shop) == {"toy-doubted": "reverted"}
    assert await shop.booked("a") == []


async def test_what_a_part_has_done_before_it_waits_is_undone_with_the_rest(toy: Any, shop: Stage) -> None:
    @workflow("toy-done-and-naps")
    async def part(flow: Flow, account: str) -> None:
        await flow.run(toy.toy_ledger.book, account, 1)
        await flow.sleep(60)

    @workflow("toy-refused-beside", durable=True)
    async def whole(flow: Flow, account: str) -> None:
        await flow.parallel((part, account), (toy.toy_ledger.refuse, False))

    with pytest.raises(NotAllowed):
        await shop.coordinator.run("toy-refused-beside", {"account": "a"})
    assert await states(shop) == {"toy-refused-beside": "reverted"}
    assert await shop.booked("a") == []


async def test_what_could_not_be_undone_is_undone_later_in_the_same_order(toy: Any, shop: Stage, look: Look) -> None:
    undone: list[str] = []
    away = [Unavailable("Away.")] * 2 * UNDO_ATTEMPTS

    async def undo(flow: Flow, name: str) -> None:
        if away:
            raise away.pop()
        undone.append(name)

    @step(undo=undo)
    async def do(flow: Flow, name: str) -> str:
        return name

    @workflow("toy-undone-late", durable=True)
    async def whole(flow: Flow) -> None:
        await flow.run(do, "first")
        await flow.run(do, "second")
        await flow.run(toy.toy_ledger.refuse, False)

    with pytest.raises(NotAllowed):
        await shop.coordinator.run("toy-undone-late", {})
    assert undone == []
    await look(shop, 2)
    assert undone == ["second", "first"]
    assert await states(shop) == {"toy-undone-late": "reverted"}


async def test_what_a_part_could_not_undo_is_undone_once_however_it_is_tried_again(toy: Any, shop: Stage, look: Look) -> None:
    """What came of the part's failure is an execution of its own by then, and the first attempts may have done it."""
    lost = [ReplyLost("The connection broke.")] * UNDO_ATTEMPTS
    keys: set[str] = set()

    async def book_back(flow: Flow, account: str) -> None:
        keys.add(flow.idempotency_key)
        await flow.modules.ledger.book(account, -1)  # type: ignore[attr-defined]
        if lost:
            raise lost.pop()

    @step(undo=book_back)
    async def book(flow: Flow, account: str) -> str:
        await flow.modules.ledger.book(account, 1)  # type: ignore[attr-defined]
        return account

    @workflow("toy-caught-part")
    async def part(flow: Flow, account: str) -> None:
        await flow.run(book, account)
        await flow.run(toy.toy_ledger.refuse, False)

    @workflow("toy-catches", durable=True)
    async def whole(flow: Flow, account: str) -> str:
        try:
            await flow.run(part, account)
        except NotAllowed:
            return "without"
        return "with"

    assert await shop.coordinator.run("toy-catches", {"account": "a"}) == "without"
    [row] = await shop.coordinator.list(state="failed")
    await shop.coordinator.retry(row["id"])
    await look(shop, 1)
    assert (await shop.coordinator.show(row["id"]))["state"] == "reverted"
    assert await shop.booked("a") == [-1, 1]
    assert len(keys) == 1
