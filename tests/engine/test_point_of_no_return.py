"""A durable flow with a pivot: undone before it, carried on beyond it, in doubt between the two."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from velella.core.errors import Busy, Conflict, GoesOn, NotAllowed, NotFound, PaymentOutcomeUnknown, Unavailable, UnexpectedState
from velella.core.flow import Flow, step, workflow

if TYPE_CHECKING:
    from conftest import Look
    from toy_stage import Stage


async def only(stage: Stage) -> dict[str, Any]:
    [row] = await stage.coordinator.list(workflow="toy-buy")
    return row


async def test_a_refused_pivot_never_happened(toy: Any, shop: Stage) -> None:
    toy.provider.moods = [NotAllowed("No money.")]
    with pytest.raises(NotAllowed, match="No money"):
        await shop.coordinator.run("toy-buy", {"account": "a"})
    assert (await only(shop))["state"] == "reverted"
    assert await shop.booked("a") == []


FAILURES = [Unavailable("Away."), Busy("Full."), PaymentOutcomeUnknown("?"), NotAllowed("Not yet."), ValueError("?")]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
async def test_beyond_the_pivot_it_only_goes_forward(toy: Any, shop: Stage, look: Look, error: Exception) -> None:
    toy.later[:] = [error, error]
    assert await shop.coordinator.run("toy-buy", {"account": "a"}) == "bought", "who asks isn't kept waiting"
    row = await only(shop)
    assert (row["state"], row["waits_at"], row["failures"]) == ("finishing", "3 book-late", 1)
    assert str(error) in row["error"]
    assert await shop.booked("a") == [1, 5], "nothing is undone"
    assert await shop.coordinator.run("toy-buy", {"account": "a"}) == "bought", "who asks again joins it"
    assert await look(shop, 0.5) == 0, "it isn't due yet"
    assert await look(shop, 1) == 1
    assert (await only(shop))["failures"] == 2
    assert await look(shop, 1.5) == 0, "pauses grow"
    assert await look(shop, 1) == 1
    row = await only(shop)
    assert (row["state"], row["error"], row["waits_at"]) == ("done", None, None)
    assert row["attempts"] == 1, "only deaths count"
    assert await shop.booked("a") == [1, 5], "what was repeated is done once"
    assert toy.provider.asked == 1
    assert await shop.coordinator.run("toy-buy", {"account": "a"}) == "bought"


async def test_who_has_no_answer_yet_is_told_to_come_again(toy: Any, shop: Stage, look: Look) -> None:
    toy.later[:] = [Unavailable("Away.")]
    for _ in range(2):
        with pytest.raises(GoesOn, match="Away") as caught:
            await shop.coordinator.run("toy-buy", {"account": "a", "answers": False})
        assert caught.value.status == 503
        assert caught.value.retry_after >= 1
    await look(shop, 2)
    assert await shop.coordinator.run("toy-buy", {"account": "a", "answers": False}) == "done"
    assert toy.tries["late"] == 2


async def test_a_pivot_in_doubt_is_asked_until_it_answers(toy: Any, shop: Stage, look: Look) -> None:
    toy.provider.moods = [PaymentOutcomeUnknown("Nobody knows."), Unavailable("Away.")]
    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-buy", {"account": "a"})
    assert (await only(shop))["state"] == "finishing"
    await look(shop, 2)
    await look(shop, 3)
    assert (await only(shop))["state"] == "done"
    assert len(toy.provider.done) == 1, "always under the same key"
    assert toy.provider.asked == 3


async def test_a_pivot_in_doubt_that_is_refused_after_all_is_undone(toy: Any, shop: Stage, look: Look) -> None:
    toy.provider.moods = [Unavailable("Away."), NotAllowed("No money.")]
    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-buy", {"account": "a"})
    await look(shop, 2)
    assert (await only(shop))["state"] == "reverted"
    assert await shop.booked("a") == []
    toy.provider.moods = [Unavailable("Away.")]
    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-buy", {"account": "a"})


async def test_a_refusal_behind_the_pivot_may_be_answered_by_the_flow(toy: Any, shop: Stage, look: Look) -> None:
    @step
    async def refuse(flow: Flow) -> None:
        toy.tries["refused"] += 1
        raise NotFound("It is gone.")

    @workflow("toy-otherwise", durable=True)
    async def otherwise(flow: Flow) -> str:
        await flow.run(toy.charge)
        try:
            await flow.run(refuse)
        except NotFound:
            await flow.run(toy.toy_ledger.book, "other", 7)
        await flow.run(toy.book_late, "other")
        return "otherwise"

    toy.later[:] = [Unavailable("Away.")]
    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-otherwise", {})
    await look(shop, 2)
    [row] = await shop.coordinator.list()
    assert (await shop.coordinator.show(row["id"]))["result"] == "otherwise"
    assert await shop.booked("other") == [5, 7]
    assert toy.tries["refused"] == 1, "the flow hears the same again without asking"


async def test_a_flow_that_runs_out_of_time_behind_its_pivot_goes_on(toy: Any, shop: Stage, look: Look) -> None:
    @step
    async def linger(flow: Flow) -> None:
        toy.tries["linger"] += 1
        if toy.tries["linger"] == 1:
            await asyncio.sleep(30)

    @workflow("toy-late", durable=True, timeout=0.2)
    async def late(flow: Flow) -> str:
        await flow.run(toy.toy_ledger.book, "late", 1)
        await flow.run(toy.charge)
        await flow.run(linger)
        return "late"

    with pytest.raises(GoesOn):
        await shop.coordinator.run("toy-late", {})
    await look(shop, 2)
    assert [row["state"] for row in await shop.coordinator.list()] == ["done"]
    assert await shop.booked("late") == [1]


async def test_nothing_runs_beside_a_pivot_and_short_flows_have_none(toy: Any, shop: Stage) -> None:
    @workflow("toy-beside", durable=True)
    async def beside(flow: Flow) -> None:
        await flow.parallel((toy.charge,), (toy.toy_ledger.book, "a", 1))

    @workflow("toy-short")
    async def short(flow: Flow) -> None:
        await flow.run(toy.charge)

    for name in ("toy-beside", "toy-short"):
        with pytest.raises(UnexpectedState, match="pivot"):
            await shop.coordinator.run(name, {})
    assert await shop.booked("a") == []
    assert toy.provider.asked == 0


async def test_an_answer_comes_after_the_pivot(toy: Any, shop: Stage) -> None:
    @workflow("toy-hasty", durable=True)
    async def hasty(flow: Flow) -> None:
        await flow.run(toy.toy_ledger.book, "a", 1)
        flow.answer("too early")

    with pytest.raises(UnexpectedState, match="can't answer"):
        await shop.coordinator.run("toy-hasty", {})
    assert await shop.booked("a") == []


async def test_who_waits_has_the_answer_while_a_later_step_takes_its_time(toy: Any, shop: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("velella.actors.engine.durable.ANSWER_SECONDS", 0.01)
    gate = asyncio.Event()

    @step
    async def wait(flow: Flow) -> None:
        await gate.wait()

    @workflow("toy-early", durable=True, key="account")
    async def early(flow: Flow, account: str) -> str:
        await flow.run(toy.charge)
        flow.answer("early")
        await flow.run(wait)
        return "late"

    assert await shop.coordinator.run("toy-early", {"account": "a"}) == "early"
    [row] = await shop.coordinator.list()
    assert row["state"] == "invoking"
    gate.set()
    while (await shop.coordinator.list())[0]["state"] != "done":
        await asyncio.sleep(0.01)
    assert await shop.coordinator.run("toy-early", {"account": "a"}) == "early", "what was answered is the result"


async def test_what_a_dead_one_left_is_not_undone_because_nobody_answers(toy: Any, shop: Stage, look: Look) -> None:
    """It may have been beyond its pivot."""
    await shop.database.script(f"""
        INSERT INTO workflow_execution (id, workflow, key, state, input, owner, trace_id, started_at)
        VALUES ('wfex_left', 'toy-buy', 'a', 'invoking', '\\x{_packed({"account": "a"})}', 'wfco_dead', 't', now())
    """)
    answers = [Unavailable("The database is full."), Unavailable("The database is full.")]
    ledger = shop.ledger
    book = ledger.create

    async def away(*args: Any, **kwargs: Any) -> Any:
        if answers:
            raise answers.pop()
        return await book(*args, **kwargs)

    ledger.create = away  # type: ignore[method-assign]
    await look(shop, 1)
    row = await only(shop)
    assert (row["state"], row["attempts"], row["waits_at"]) == ("finishing", 2, "1 book")
    await look(shop, 2)
    await look(shop, 3)
    assert (await only(shop))["state"] == "done"
    assert await shop.booked("a") == [1, 5]


async def test_what_a_dead_one_left_is_undone_when_it_is_refused(toy: Any, shop: Stage, look: Look) -> None:
    toy.provider.moods = [NotAllowed("No money.")]
    await shop.database.script(f"""
        INSERT INTO workflow_execution (id, workflow, key, state, input, owner, trace_id, started_at)
        VALUES ('wfex_left', 'toy-buy', 'a', 'invoking', '\\x{_packed({"account": "a"})}', 'wfco_dead', 't', now())
    """)
    await look(shop, 1)
    assert (await only(shop))["state"] == "reverted"
    assert await shop.booked("a") == []


def _packed(value: Any) -> str:
    from velella.core.codec import pack

    return pack(value).hex()


async def test_what_is_finishing_is_never_given_up(toy: Any, shop: Stage, look: Look) -> None:
    toy.later[:] = [Unavailable("Away.")] * 3
    await shop.coordinator.run("toy-buy", {"account": "a"})
    await shop.database.script("UPDATE workflow_execution SET attempts = 8, owner = 'wfco_dead', resume_at = NULL")
    assert await look(shop, 1) == 1
    row = await only(shop)
    assert (row["state"], row["owner"]) == ("finishing", None), "it has seen too many die: it waits"
    assert await look(shop, 200) == 0
    for _ in range(3):
        await look(shop, 400)
    assert (await only(shop))["state"] == "done"


async def test_what_is_refused_for_ever_is_given_up_by_an_operator(toy: Any, shop: Stage, look: Look) -> None:
    toy.later[:] = [NotAllowed("Never.")] * 9
    assert await shop.coordinator.run("toy-buy", {"account": "a"}) == "bought"
    id = (await only(shop))["id"]
    with pytest.raises(NotAllowed, match="waits at 3 book-late"):
        await shop.coordinator.give_up(id, "ada", "another step", step="charge")
    await shop.coordinator.give_up(id, "ada", "booked by hand", step="book-late")
    row = await only(shop)
    assert (row["state"], row["given_up"]) == ("failed", {"by": "ada", "reason": "booked by hand"})
    assert "Never" in row["error"], "what it failed with stays beside it"
    with pytest.raises(NotAllowed, match="once"):
        await shop.coordinator.give_up(id, "eve", "mine")
    assert await look(shop, 10_000) == 0, "nobody goes on with it"
    assert await shop.booked("a") == [1, 5], "nothing is undone"
    counted = {labels: value for name, labels, value in await shop.coordinator.backlog() if name == "velella_workflow_executions"}
    assert counted["failed",] == 0, "it waits for nobody any more"
    toy.later.clear()
    await shop.coordinator.retry(id)
    await look(shop, 1)
    row = await only(shop)
    assert (row["state"], row["given_up"]) == ("done", None)


async def test_what_is_just_being_carried_out_is_not_given_up(toy: Any, shop: Stage) -> None:
    await shop.coordinator.run("toy-buy", {"account": "a"})
    id = (await only(shop))["id"]
    with pytest.raises(NotAllowed, match="is done"):
        await shop.coordinator.give_up(id, "ada", "why not")
    await shop.database.script("UPDATE workflow_execution SET state = 'finishing', owner = 'wfco_other'")
    with pytest.raises(Conflict, match="carried out"):
        await shop.coordinator.give_up(id, "ada", "why not")
