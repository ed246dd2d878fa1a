"""Durable executions: one for a key, exactly once through every crash, by whichever coordinator is there."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from velella.actors.engine.lease import MARGIN_SECONDS
from velella.actors.engine.queries import LEASE_SECONDS, TAKE_OVER
from velella.actors.membership.directory import ReplicaId
from velella.core.errors import Conflict, DeadlineExceeded, GoesOn, NotAllowed, NotFound, ReplyLost, Unavailable, UnexpectedState
from velella.core.flow import Flow, step, workflow
from velella.core.flow.definitions import _steps, _workflows
from velella.core.message import CallContext, call_context, current_call

from ..forks import forked

if TYPE_CHECKING:
    from toy_stage import Stage

COORDINATOR = Path(__file__).parent / "toys" / "toy_coordinator.py"


async def states(stage: Stage) -> list[str]:
    return [row["state"] for row in await stage.coordinator.list(limit=1000)]


async def left_by_a_dead_process(url: str, death: str, workflow: str, *, visits: bool = False, **input: Any) -> None:
    """Start a coordinator elsewhere that kills itself at a chosen place. Unless it `visits`, it also takes up what others have left."""
    environment = {**os.environ, "DIE_AT": death, **({"VISITS": "1"} if visits else {})}
    code, printed = await forked(COORDINATOR, url, workflow, json.dumps(input), environment=environment)
    assert code == -signal.SIGKILL, f"it was to die at {death}: {printed}"


async def expire_leases(stage: Stage) -> None:
    """As if ten seconds had passed for coordinators that don't say anything."""
    await stage.database.script(
        f"UPDATE workflow_coordinator SET lease_until = now() - interval '1 second' WHERE id <> '{stage.coordinator._lease.id}'"
    )


async def take_over(stage: Stage) -> None:
    await expire_leases(stage)
    await stage.coordinator.recover()
    await settled(stage)


async def settled(stage: Stage) -> None:
    until = time.monotonic() + 10
    while any(state in ("invoking", "finishing", "compensating") for state in await states(stage)):
        assert time.monotonic() < until, await stage.coordinator.list()
        await asyncio.sleep(0.02)


async def test_two_hundred_parallel_starts_of_one_key_are_one_execution(engine_database: str) -> None:
    from toy_stage import stage

    async with stage(engine_database, "one") as one, stage(engine_database, "two") as two:
        starts = [(one, two)[i % 2].coordinator.run("book-three", {"account": "a"}) for i in range(200)]
        results = await asyncio.gather(*starts)
        assert {json.dumps(result, sort_keys=True) for result in results} == {json.dumps(results[0], sort_keys=True)}
        assert await one.booked("a") == sorted(results[0]["amounts"])
        assert await states(one) == ["done"]
        again = await two.coordinator.run("book-three", {"account": "a"})
        assert again == results[0], "a finished execution answers repeated starts"


async def test_what_fails_is_undone_and_does_not_stand_in_the_way(here: Stage) -> None:
    with pytest.raises(NotAllowed, match="closed"):
        await here.coordinator.run("book-three", {"account": "a", "fail": True})
    assert await here.booked("a") == []
    assert await states(here) == ["reverted"]
    await here.coordinator.run("book-three", {"account": "a"})
    assert await here.booked("a") == [10, 11, 21]
    assert await states(here) == ["done", "reverted"]


FORWARD = ["before 1", "before 2", "after 2", "before 3", "before 4", "after 4", "before 5", "after 5", "in between", "at the end"]


@pytest.mark.parametrize("death", FORWARD)
async def test_another_coordinator_finishes_what_a_killed_one_began(engine_database: str, here: Stage, death: str) -> None:
    await left_by_a_dead_process(engine_database, death, "book-three", account="a")
    before = await here.booked("a")
    await take_over(here)
    if death == "before 1":
        assert before == [], "nothing was written, so nobody has to go on"
        return
    assert await states(here) == ["done"]
    first, *_ = await here.coordinator.list()
    shown = await here.coordinator.show(first["id"])
    assert await here.booked("a") == sorted(shown["result"]["amounts"]), "every effect once, with the amounts that were quoted first"
    assert shown["result"]["amounts"][0] == 10
    assert await here.coordinator.run("book-three", {"account": "a"}) == shown["result"]


BACKWARD = ["before 6", "before undo 5~undo", "after undo 4~undo", "before undo 2~undo", "after undo 2~undo"]


@pytest.mark.parametrize("death", BACKWARD)
async def test_another_coordinator_finishes_undoing_what_a_killed_one_began_to_undo(engine_database: str, here: Stage, death: str) -> None:
    moody = death != "before 6"  # where undoing has begun, it makes no difference that the refusal would not come again
    await left_by_a_dead_process(engine_database, death, "book-three", account="a", fail=True, moody=moody)
    await take_over(here)
    assert await states(here) == ["reverted"]
    assert await here.booked("a") == []
    [row] = await here.coordinator.list()
    assert row["error"] == "NotAllowed: The account is closed."


async def test_a_coordinator_that_was_taken_for_dead_can_not_finish(engine_database: str, here: Stage) -> None:
    from toy_stage import stage

    async with stage(engine_database, "other") as other:
        slow = asyncio.create_task(here.coordinator.run("book-slowly", {"account": "a", "seconds": 2.0}))
        while await here.booked("a") == []:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            while (await here.coordinator.list())[0]["owner"] != other.coordinator._lease.id:  # a heartbeat may come between the two
                await other.database.script(
                    f"UPDATE workflow_coordinator SET lease_until = now() WHERE id = '{here.coordinator._lease.id}'"
                )
                await other.coordinator.recover()
        assert await slow == (await here.ledger.entries("a"))[0]["id"]
        [row] = await here.coordinator.list()
        assert row["owner"] == other.coordinator._lease.id
        assert row["attempts"] == 2
        assert row["state"] == "done"
        assert await here.booked("a") == [1], "two ran the same step; it happened once"


async def test_a_coordinator_that_can_not_be_heard_but_lives_keeps_what_it_carries_out(engine_database: str) -> None:
    """It reaches the database, so it goes on writing: somebody else would undo what it does."""
    from toy_stage import stage

    async with stage(engine_database, "flows-0") as silent, stage(engine_database, "flows-1") as here:
        slow = asyncio.create_task(silent.coordinator.run("book-slowly", {"account": "a", "seconds": 0.5}))
        while await here.booked("a") == []:
            await asyncio.sleep(0.01)
        here.coordinator.take_over_from(frozenset([ReplicaId("flows", 0)]))
        assert await here.coordinator.recover() == 0
        assert await slow == (await here.ledger.entries("a"))[0]["id"]
        [row] = await here.coordinator.list()
        assert (row["owner"], row["attempts"]) == (silent.coordinator._lease.id, 1)


async def test_what_a_process_left_that_is_seen_to_be_gone_is_taken_over_at_once(engine_database: str, here: Stage) -> None:
    await left_by_a_dead_process(engine_database, "in between", "book-three", account="a")
    while await states(here) != ["done"]:
        here.coordinator.take_over_from(frozenset([ReplicaId("flows", 0)]))
        await asyncio.sleep(0.02)
    [row] = await here.coordinator.list()
    assert row["attempts"] == 2


async def test_a_process_that_is_only_stopped_is_not_gone() -> None:
    from velella.actors.engine.process import is_dead, this_process

    process = await asyncio.create_subprocess_exec("sleep", "60")
    us = this_process()
    assert us is not None
    assert not is_dead(us)
    assert is_dead(us.partition(":")[0] + ":1"), "another one had our id once"
    began = (Path("/proc") / str(process.pid) / "stat").read_text().rpartition(")")[2].split()[19]
    try:
        process.send_signal(signal.SIGSTOP)
        assert not is_dead(f"{process.pid}:{began}")
    finally:
        process.kill()
        await process.wait()
    assert is_dead(f"{process.pid}:{began}")


@pytest.mark.parametrize("many", [24, 60])
async def test_a_burst_of_starts_is_carried_out_once_each(here: Stage, many: int) -> None:
    for _ in range(3):
        begun = [here.coordinator.start_durable("book-slowly", {"account": f"a{each}", "seconds": 0.05}) for each in range(many)]
        await asyncio.gather(*begun, here.coordinator.recover(), here.coordinator.recover())
    await settled(here)
    rows = await here.coordinator.list(limit=1000)
    assert {(row["state"], row["attempts"]) for row in rows} == {("done", 1)}
    assert len(rows) == many
    assert [len(await here.booked(f"a{each}")) for each in range(many)] == [1] * many


async def test_nothing_is_written_that_could_come_after_the_end_of_the_lease(engine_database: str) -> None:
    """A write is sent while the lease is trusted, and is held up: it must not be carried out when another one has the execution."""
    from toy_stage import stage

    async with stage(engine_database) as slow:
        deadlines: list[float] = []
        book = slow.ledger.create

        async def held_up(*args: Any, **kwargs: Any) -> Any:
            deadlines.append(current_call().left())
            return await book(*args, **kwargs)

        slow.ledger.create = held_up  # type: ignore[method-assign]
        await slow.coordinator.run("book-slowly", {"account": "a", "seconds": 0})
        assert 0 < deadlines[0] < LEASE_SECONDS - MARGIN_SECONDS

        import toy_ledger

        @step
        async def freeze(flow: Flow) -> None:
            await flow.modules.ledger.entries("b")  # type: ignore[attr-defined]
            slow.coordinator._lease._until = 0.1
            await flow.modules.ledger.book("b", 2)  # type: ignore[attr-defined]

        @workflow("toy-frozen", durable=True)
        async def frozen(flow: Flow) -> None:
            await flow.run(toy_ledger.book, "b", 1)
            await flow.run(freeze)

        with pytest.raises(DeadlineExceeded, match="lease"):
            await slow.coordinator.run("toy-frozen", {})
        assert await slow.booked("b") == []


async def test_a_visitor_carries_out_what_it_is_asked_for_and_nothing_else(engine_database: str, here: Stage) -> None:
    from toy_stage import stage

    for chore in here.coordinator._chores:  # the shop doesn't look right now
        chore.cancel()
    await here.database.script("""
        INSERT INTO workflow_execution (id, workflow, key, state, input, owner, resume_at, trace_id, started_at)
        VALUES ('wfex_left', 'book-three', 'left', 'invoking', '\\x80', 'wfco_dead', NULL, 't', now()),
            ('wfex_due', 'book-three', 'due', 'finishing', '\\x80', NULL, now(), 't', now())
    """)
    async with stage(engine_database, visits=True) as visitor:
        await visitor.coordinator.run("book-three", {"account": "mine"})
        begun = await visitor.coordinator.start_durable("book-three", {"account": "later"})
    rows = {row["id"]: (row["state"], row["attempts"], row["owner"]) for row in await here.coordinator.list()}
    assert rows.pop("wfex_left") == ("invoking", 1, "wfco_dead")
    assert rows.pop("wfex_due") == ("finishing", 1, None)
    assert rows.pop(begun) == ("invoking", 1, None), "the shop takes up what a command has put in its queue"
    assert [state for state, _, _ in rows.values()] == ["done"]
    assert await here.booked("later") == []


async def test_a_visitor_takes_up_what_it_is_asked_for_and_nobody_carries_out(engine_database: str, here: Stage) -> None:
    """A command that was killed is given once more, where the shop isn't served."""
    from toy_stage import stage

    for chore in here.coordinator._chores:
        chore.cancel()
    for account in ("mine", "others"):
        await left_by_a_dead_process(engine_database, "in between", "book-three", visits=True, account=account)
    await expire_leases(here)
    async with stage(engine_database, visits=True) as visitor:
        done = await visitor.coordinator.run("book-three", {"account": "mine"})
    assert await here.booked("mine") == sorted(done["amounts"])
    assert sorted(await states(here)) == ["done", "invoking"]


async def test_what_begins_in_the_last_moment_of_an_idle_lease_has_time_to_write(here: Stage) -> None:
    lease = here.coordinator._lease
    await lease.beat()
    last = time.monotonic() + 0.1
    lease._until = last + MARGIN_SECONDS  # nothing was carried out since

    @step
    async def book(flow: Flow) -> None:
        await asyncio.sleep(last - time.monotonic())
        await flow.modules.ledger.book("a", 1)  # type: ignore[attr-defined]

    @workflow("toy-last-moment", durable=True)
    async def at_the_last_moment(flow: Flow) -> None:
        await flow.run(book)

    await here.coordinator.run("toy-last-moment", {})
    assert await here.booked("a") == [1]


async def test_an_execution_whose_end_could_not_be_written_down_is_dead_on_with(here: Stage) -> None:
    finish, failures = here.coordinator._store.finish, [Unavailable("The database is full.")]

    async def full(*args: Any) -> bool:
        if failures:
            raise failures.pop()
        return await finish(*args)

    here.coordinator._store.finish = full  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await here.coordinator.run("book-three", {"account": "a"})
    await here.coordinator.recover()
    await settled(here)
    [row] = await here.coordinator.list()
    assert (row["state"], row["attempts"]) == ("done", 1), "it is our own: nobody died"
    assert len(await here.booked("a")) == 3


async def test_what_was_taken_over_by_a_statement_without_an_answer_is_carried_out(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    store = here.coordinator._store
    lost: list[Any] = []
    take_over = store.take_over

    async def take_over_unheard(*which: Any) -> list[Any]:
        rows = await take_over(*which)
        if rows and not lost:
            lost.extend(rows)
            raise ReplyLost("The connection to the database was lost before its answer came.")
        return list(rows)

    monkeypatch.setattr(store, "take_over", take_over_unheard)
    id = await here.coordinator.start_durable("book-three", {"account": "a"})
    await settled(here)
    assert [row.id for row in lost] == [id]
    assert await here.booked("a") == [10, 11, 21]


async def test_an_execution_that_kills_its_coordinators_ends_up_with_an_operator(engine_database: str, here: Stage) -> None:
    await left_by_a_dead_process(engine_database, "in between", "book-three", account="a")
    await here.database.script("UPDATE workflow_execution SET attempts = 8")
    await take_over(here)
    [row] = await here.coordinator.list(state="failed")
    assert (await here.coordinator.show(row["id"]))["steps"] != []
    await here.coordinator.retry(row["id"])
    await take_over(here)
    assert await states(here) == ["done"]
    assert await here.booked("a") == [10, 11, 21]
    with pytest.raises(NotAllowed):
        await here.coordinator.retry(row["id"])
    with pytest.raises(NotFound):
        await here.coordinator.retry("wfex_nowhere")


async def test_a_retry_yields_to_a_later_execution_of_the_key(engine_database: str, here: Stage) -> None:
    await left_by_a_dead_process(engine_database, "in between", "book-three", account="a")
    await here.database.script("UPDATE workflow_execution SET attempts = 8")
    await take_over(here)
    await here.coordinator.run("book-three", {"account": "a"})
    [row] = await here.coordinator.list(state="failed")
    with pytest.raises(Conflict):
        await here.coordinator.retry(row["id"])


async def test_whoever_stops_waiting_does_not_stop_the_execution(here: Stage) -> None:
    token = call_context.set(CallContext().within(0.1))
    try:
        with pytest.raises(GoesOn, match="still running"):
            await here.coordinator.run("book-slowly", {"account": "a", "seconds": 0.3})
    finally:
        call_context.reset(token)
    async with asyncio.timeout(20):
        while await states(here) != ["done"]:
            await asyncio.sleep(0.02)


async def test_a_stopping_coordinator_hands_over_at_once(engine_database: str, here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from toy_stage import stage

    monkeypatch.setattr("velella.actors.engine.coordinator.STOP_SECONDS", 0.05)
    async with stage(engine_database, "other") as other:
        slow = asyncio.create_task(other.coordinator.run("book-slowly", {"account": "a", "seconds": 1}))
        while await here.booked("a") == []:
            await asyncio.sleep(0.01)
    with pytest.raises(Exception, match="stops"):
        await slow
    assert await here.coordinator.recover() == 1
    [row] = await here.coordinator.list()
    assert row["state"] == "invoking"
    assert row["attempts"] == 1, "being handed over isn't a failure"


async def test_a_restarted_coordinator_goes_on_at_once_with_what_its_predecessor_left(engine_database: str) -> None:
    from toy_stage import stage

    await left_by_a_dead_process(engine_database, "in between", "book-three", account="a")
    async with stage(engine_database, "toy") as successor:
        await settled(successor)
        assert await states(successor) == ["done"]
        assert await successor.booked("a") == [10, 11, 21]


async def test_an_execution_too_old_to_know_what_it_has_done_is_not_retried(engine_database: str, here: Stage) -> None:
    await left_by_a_dead_process(engine_database, "in between", "book-three", account="a")
    await here.database.script("UPDATE workflow_execution SET attempts = 8, started_at = now() - interval '1 day'")
    await take_over(here)
    [row] = await here.coordinator.list(state="failed")
    with pytest.raises(NotAllowed, match="too old"):
        await here.coordinator.retry(row["id"])


async def test_a_workflow_that_only_reads_leaves_no_row(here: Stage) -> None:
    import toy_ledger

    @workflow("toy-look", durable=True, key="account")
    async def look(flow: Flow, account: str) -> int:
        return await flow.run(toy_ledger.quote, account)

    assert await here.coordinator.run("toy-look", {"account": "a"}) == 10
    assert await states(here) == []


async def test_what_is_read_or_made_outside_of_steps_is_the_same_when_it_is_run_again(engine_database: str, here: Stage) -> None:
    await left_by_a_dead_process(engine_database, "in between", "book-two-alike", account="a")
    [number] = await here.booked("a")
    assert await states(here) == ["invoking"], "it is listed, though it began as a short flow"
    await take_over(here)
    assert await states(here) == ["done"]
    assert await here.booked("a") == [number, number]
    [row] = await here.coordinator.list()
    assert len((await here.coordinator.show(row["id"]))["steps"]) == 2, "reading outside of steps is none"


async def test_writes_belong_into_steps(here: Stage) -> None:
    @workflow("toy-careless", durable=True)
    async def careless(flow: Flow) -> Any:
        return await flow.modules.ledger.book("a", 1)  # type: ignore[attr-defined]

    with pytest.raises(UnexpectedState, match=r"ledger\.book outside of a step"):
        await here.coordinator.run("toy-careless", {})
    assert await here.booked("a") == []


async def test_a_way_that_can_not_be_repeated_is_left_to_an_operator(engine_database: str, here: Stage) -> None:
    import toy_ledger

    await left_by_a_dead_process(engine_database, "in between", "book-three", account="a")
    known = _workflows["book-three"]

    @step(reads=True)
    async def other_quote(flow: Flow, account: str) -> int:
        return 5

    async def changed(flow: Flow, account: str, fail: bool = False) -> int:
        return await flow.run(other_quote, account) + len(await flow.run(toy_ledger.book, account, 1))

    try:
        _workflows["book-three"] = type(known)("book-three", changed, True, key="account")
        await take_over(here)
    finally:
        _workflows["book-three"] = known
        del _steps[other_quote.reference]
    [row] = await here.coordinator.list()
    assert row["state"] == "failed"
    assert "does not take the same way twice" in row["error"]
    assert await here.booked("a") == [10, 11, 21], "nothing more was done, nothing undone"


async def test_an_answer_that_never_came_is_asked_for_before_it_is_undone(here: Stage) -> None:
    import toy_ledger

    async def strike(flow: Flow, id: str) -> None:
        await flow.modules.ledger.strike(id)  # type: ignore[attr-defined]

    slow = [1.0]

    @step(undo=strike, timeout=0.1)
    async def book_and_linger(flow: Flow, account: str) -> str:
        made: str = await flow.modules.ledger.book(account, 7)  # type: ignore[attr-defined]
        await asyncio.sleep(slow.pop() if slow else 0.0)
        return made

    @workflow("toy-doubt", durable=True)
    async def doubt(flow: Flow, account: str) -> None:
        await flow.run(toy_ledger.book, account, 1)
        await flow.run(book_and_linger, account)

    with pytest.raises(DeadlineExceeded):
        await here.coordinator.run("toy-doubt", {"account": "a"})
    assert await here.booked("a") == []
    assert await states(here) == ["reverted"]


async def test_any_sequence_of_deaths_leads_to_the_same_books(engine_database: str, dice: random.Random) -> None:
    """Coordinators die one after the other, each a bit further on or at the same place, until one gets through."""
    from toy_stage import stage

    places = sorted(dice.sample(range(2, len(FORWARD)), 3))
    await left_by_a_dead_process(engine_database, FORWARD[places[0]], "book-three", account="a")
    for place in places[1:]:
        async with stage(engine_database, "undertaker") as here:
            await expire_leases(here)
        await left_by_a_dead_process(engine_database, FORWARD[place], "book-three", account="a")
    async with stage(engine_database) as here:
        await take_over(here)
        result = await here.coordinator.run("book-three", {"account": "a"})
        assert await here.booked("a") == sorted(result["amounts"])
        assert await states(here) == ["done"]


async def test_a_short_flow_writes_once(here: Stage) -> None:
    """A death between the two would leave the first, and no trace."""
    import toy_ledger

    async def both(flow: Flow, account: str) -> None:
        await flow.run(toy_ledger.book, account, 1)
        await flow.run(toy_ledger.book, account, 2)

    workflow("toy-twice")(both)
    workflow("toy-twice-durable", durable=True)(both)
    part = workflow("toy-part-durable", durable=True)(both)

    @workflow("toy-whole", durable=True)
    async def whole(flow: Flow, account: str) -> None:
        await flow.run(part, account)
        await flow.run(toy_ledger.refuse, False)

    with pytest.raises(UnexpectedState, match=r"writes more than once: ledger\.book, ledger\.book"):
        await here.coordinator.run("toy-twice", {"account": "a"})
    assert await here.booked("a") == []
    await here.coordinator.run("toy-twice-durable", {"account": "a"})
    assert await here.booked("a") == [1, 2]
    with pytest.raises(NotAllowed):
        await here.coordinator.run("toy-whole", {"account": "b"})
    assert await here.booked("b") == [], "without a key of its own it is a part, and is undone with the whole"


async def test_a_renewal_that_came_late_is_not_relied_on_before_it_is_known_what_was_lost(
    shop: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late is what arrives late, however early it was sent; what isn't known is asked for again."""
    lease, certain, away = shop.coordinator._lease, list[bool](), [Unavailable("Away.")]
    await lease.beat()
    execute = lease._database.execute

    async def look() -> None:
        certain.append(lease.certain)
        if away:
            raise away.pop()

    async def slowly(*args: Any) -> int:
        await asyncio.sleep(0.2)
        return await execute(*args)

    lease.when_late(look)
    monkeypatch.setattr(lease._database, "execute", slowly)
    lease._until = time.monotonic() + 0.1
    with pytest.raises(Unavailable):
        await lease.beat()
    assert not lease.certain
    await lease.beat()
    assert certain == [False, False]
    assert lease.certain


async def test_what_one_has_just_taken_over_no_other_takes_whose_look_began_before(engine_database: str, here: Stage) -> None:
    await here.database.script("""
        INSERT INTO workflow_coordinator (id, replica, lease_until) VALUES ('gone', 'gone', now() - interval '1 minute');
        INSERT INTO workflow_execution (id, workflow, state, input, owner, trace_id, started_at)
            VALUES ('wfex_left', 'toy-elsewhere', 'invoking', '', 'gone', '', now());
        CREATE SCHEMA slow;
        CREATE VIEW slow.workflow_coordinator AS
            SELECT * FROM public.workflow_coordinator WHERE pg_advisory_xact_lock_shared(1)::text IS NOT NULL OFFSET 0;
    """)
    given = {"left": [], "known": ["toy-elsewhere"], "limit": 16, "gave_up": None, "only": None}
    slow, fast = [await asyncpg.connect(engine_database) for _ in range(2)]
    try:
        await slow.execute("SET search_path = slow, public")
        await fast.execute(
            "INSERT INTO workflow_coordinator (id, replica, lease_until) VALUES ('fast', 'fast', now() + interval '1 minute')"
        )
        await fast.execute("SELECT pg_advisory_lock(1)")
        waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND locktype = 'advisory' AND NOT granted)"

        async def taken(by: asyncpg.Connection[Any], owner: str) -> list[tuple[str, int]]:
            rows = await by.fetch(TAKE_OVER.sql, *TAKE_OVER.arguments({**given, "owner": owner}))
            return [(row["owner"], row["fence"]) for row in rows]

        late = asyncio.create_task(taken(slow, "slow"))
        async with asyncio.timeout(30):
            while not await fast.fetchval(waiting, slow.get_server_pid()):
                await asyncio.sleep(0.01)
        assert await taken(fast, "fast") == [("fast", 2)]
        await fast.execute("SELECT pg_advisory_unlock(1)")
        assert await late == []
    finally:
        await asyncio.gather(slow.close(), fast.close())


async def test_a_flow_that_tries_again_does_not_so_beside_an_attempt_whose_end_is_not_written_down(
    here: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    import toy_ledger

    finish, failures = here.coordinator._store.finish, [Unavailable("The database is away.")]

    async def away(*args: Any) -> bool:
        if failures:
            raise failures.pop()
        return await finish(*args)

    @workflow("toy-tries-twice", durable=True, retries=1)
    async def tries(flow: Flow, account: str) -> None:
        await flow.run(toy_ledger.book, account, 1)

    monkeypatch.setattr(here.coordinator._store, "finish", away)
    with pytest.raises(Unavailable):
        await here.coordinator.run("toy-tries-twice", {"account": "a"})
    await here.coordinator.recover()
    await settled(here)
    assert await states(here) == ["done"]
    assert await here.booked("a") == [1]


async def test_an_execution_whose_row_comes_after_all_is_carried_out(shop: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its statement was still on its way when its connection broke, and when its end was to be written down."""
    store, late = shop.coordinator._store, list[Callable[[], Awaitable[bool]]]()
    begin = store.begin

    async def on_its_way(*args: Any) -> bool:
        if not late:
            late.append(partial(begin, *args))
            raise ReplyLost("The connection broke.")
        return await begin(*args)

    monkeypatch.setattr(store, "begin", on_its_way)
    with pytest.raises(ReplyLost):
        await shop.coordinator.run("book-three", {"account": "a"})
    assert await shop.coordinator.recover() == 0
    assert await late[0]()
    assert await shop.coordinator.recover() == 1
    await settled(shop)
    assert await states(shop) == ["done"]
    assert len(await shop.booked("a")) == 3
