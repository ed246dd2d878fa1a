"""Executions of workflows as a merchant sees them: listed, run by hand, followed while they go on."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from velella.actors.engine.coordinator import load_workflows
from velella.core.errors import NotAllowed, Unavailable
from velella.core.flow import Flow, Waits, definitions, step, workflow
from velella.core.ids import ulid
from velella.http.admin import workflows_executions
from velella.http.server import FrontEnd

from ..conftest import Client, Shop
from .conftest import Merchant

PATH = "/admin/workflows-executions"


async def unpack_crates(flow: Flow, made: str) -> None: ...


@step(undo=unpack_crates)
async def pack_crates(flow: Flow, ship: str) -> str:
    return f"crates of {ship}"


@step
async def hoist_sails(flow: Flow, wind: bool) -> None:
    if not wind:
        raise NotAllowed("There is no wind.")


@workflow("test-put-to-sea", durable=True, key="ship", by_hand=True)
async def put_to_sea(flow: Flow, ship: str, wind: bool = True) -> str:
    crates = await flow.run(pack_crates, ship)
    await flow.run(hoist_sails, wind)
    return crates


@workflow("test-look-out", by_hand=True)
async def look_out(flow: Flow, wind: bool = True) -> str:
    await flow.run(hoist_sails, wind)
    return "land"


@workflow("test-drift", durable=True, by_hand=True)
async def drift(flow: Flow, ship: str) -> str:
    return await flow.run(pack_crates, ship)


pilots: list[str] = []


@step(pivot=True)
async def weigh_anchor(flow: Flow) -> None: ...


@step
async def find_pilot(flow: Flow, ship: str) -> None:
    if ship not in pilots:
        raise Unavailable("The pilot is away.")


@workflow("test-cast-off", durable=True, key="ship", by_hand=True)
async def cast_off(flow: Flow, ship: str) -> None:
    await flow.run(weigh_anchor)
    await flow.run(find_pilot, ship)


@step(waits=Waits(), undo=unpack_crates)
async def ask_harbour(flow: Flow, ship: str) -> str:
    return ship


@workflow("test-enter", durable=True, key="ship", by_hand=True)
async def enter(flow: Flow, ship: str) -> Any:
    await flow.run(pack_crates, ship)
    return await flow.run(ask_harbour, ship)


tide = asyncio.Event()


@step
async def wait_for_tide(flow: Flow) -> None:
    await tide.wait()


@workflow("test-moor", durable=True, key="ship", by_hand=True)
async def moor(flow: Flow, ship: str) -> None:
    await flow.run(ask_harbour, ship)
    await flow.run(wait_for_tide)


@workflow("test-keelhaul")
async def keelhaul(flow: Flow, user_id: str) -> None:
    raise AssertionError("nobody may run this by hand")


@pytest.fixture
def ship() -> str:
    return f"ship-{ulid()}"


async def sail(merchant: Merchant, ship: str, **input: Any) -> dict[str, Any]:
    """Run the durable workflow by hand; its execution, once it has ended."""
    body = {"input": {"ship": ship, **input}}
    told = (await merchant.post(f"{PATH}/test-put-to-sea/run", body))["acknowledgement"]
    assert told == {"transactionId": ship, "workflowId": "test-put-to-sea", "hasFinished": False, "hasFailed": False}
    while True:
        found = await merchant.get(PATH, transaction_id=ship)
        if found["count"] and found["workflow_executions"][0]["state"] in ("done", "reverted", "failed"):
            return dict(found["workflow_executions"][0])
        await asyncio.sleep(0.02)


def ways(execution: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """By step: how it went, and how it was undone."""
    steps = execution["execution"]["steps"]
    return {id: (each["invoke"]["state"], each["compensate"]["state"]) for id, each in steps.items()}


async def test_an_execution_shows_its_steps_one_below_the_other(merchant: Merchant, ship: str) -> None:
    done = await sail(merchant, ship)
    assert (done["workflow_id"], done["transaction_id"], done["state"]) == ("test-put-to-sea", ship, "done")
    assert ways(done) == {
        "_root": ("done", "dormant"),
        "_root.pack-crates": ("done", "dormant"),
        "_root.pack-crates.hoist-sails": ("done", "dormant"),
    }
    assert [each["depth"] for each in done["execution"]["steps"].values()] == [0, 1, 2]
    whole = (await merchant.get(f"{PATH}/{done['id']}"))["workflow_execution"]
    assert whole["context"]["data"]["payload"] == {"ship": ship}
    assert whole["context"]["errors"] == []
    assert (await merchant.get(f"{PATH}/test-put-to-sea/{ship}"))["workflow_execution"] == whole


async def test_one_that_failed_says_what_went_wrong_and_what_was_undone(merchant: Merchant, ship: str) -> None:
    gone = await sail(merchant, ship, wind=False)
    assert gone["state"] == "reverted"
    assert ways(gone)["_root"][0] == "failed"
    assert ways(gone)["_root.pack-crates"] == ("done", "reverted")
    whole = (await merchant.get(f"{PATH}/{gone['id']}"))["workflow_execution"]
    assert [each["error"]["message"] for each in whole["context"]["errors"]] == ["There is no wind."]


async def test_executions_are_found_by_what_they_are(merchant: Merchant, ship: str) -> None:
    done, gone = await sail(merchant, ship), await sail(merchant, f"{ship}-2", wind=False)
    for filters, expected in (
        ({"q": ship}, [gone["id"], done["id"]]),
        ({"q": ship, "order": "created_at"}, [done["id"], gone["id"]]),
        ({"q": ship, "state": "reverted"}, [gone["id"]]),
        ({"q": ship, "workflow_id": "complete-cart"}, []),
        ({"q": ship, "created_at[$gt]": gone["created_at"]}, []),
        ({"q": ship, "limit": "1", "offset": "1"}, [done["id"]]),
    ):
        found = await merchant.get(PATH, **filters)
        assert [row["id"] for row in found["workflow_executions"]] == expected, filters
    (row,) = (await merchant.get(PATH, transaction_id=ship, fields="state"))["workflow_executions"]
    assert row == {"id": done["id"], "state": "done"}


async def test_the_same_transaction_is_carried_out_once(merchant: Merchant, ship: str) -> None:
    body = {"input": {"ship": "any"}, "transaction_id": ship}
    for _ in range(3):
        assert (await merchant.post(f"{PATH}/test-drift/run", body))["acknowledgement"]["transactionId"] == ship
    assert (await merchant.get(PATH, transaction_id=ship))["count"] == 1


async def test_a_short_workflow_has_ended_when_it_is_acknowledged(merchant: Merchant) -> None:
    told = (await merchant.post(f"{PATH}/test-look-out/run", {"input": {}, "transaction_id": "t"}))["acknowledgement"]
    assert told == {"transactionId": "t", "workflowId": "test-look-out", "hasFinished": True, "hasFailed": False}
    refused = await merchant.refused("POST", f"{PATH}/test-look-out/run", {"input": {"wind": False}})
    assert refused == (400, "not_allowed", "There is no wind.")


async def test_an_input_that_the_workflow_does_not_take_is_refused(merchant: Merchant) -> None:
    for body in ({"input": {"boat": 1}}, {}, {"input": [1]}, {"input": {"ship": {"id": 1}}}, {"input": {"ship": "a", "wind": "yes"}}):
        status, type, message = await merchant.refused("POST", f"{PATH}/test-put-to-sea/run", body)
        assert (status, type) == (400, "invalid_data")
        assert "input" in message


async def test_a_workflow_is_run_by_hand_only_where_it_says_so(merchant: Merchant, shop: Shop) -> None:
    user = (await shop.host.modules.user.create("user", [{"email": f"{ulid().lower()}@example.com"}]))[0]["id"]
    email = f"{ulid().lower()}@example.com"
    for name, input in (
        ("test-keelhaul", {"user_id": user}),
        ("remove-user-account", {"user_id": user}),
        ("create-user-account", {"auth_identity_id": "authid_1", "user": {"email": email}}),
        ("accept-invite-workflow", {"invite_token": "t", "auth_identity_id": "authid_1", "user": {}}),
        ("update-users-workflow", {"rows": [{"id": user, "email": email}]}),
        ("generate-reset-password-token", {"entity_id": email, "actor_type": "user", "token": "made-up", "metadata": {}}),
        ("create-customer-account", {"auth_identity_id": "authid_1", "customer": {"email": email}}),
        ("mark-payment-collection-as-paid", {"payment_collection_id": "p", "order_id": "o", "captured_by": "somebody-else"}),
    ):
        status, type, message = await merchant.refused("POST", f"{PATH}/{name}/run", {"input": input})
        assert (status, type) == (400, "not_allowed"), name
        assert name in message
    assert await shop.host.modules.user.list("user", {"id": user}), "nobody was removed"
    assert not await shop.host.modules.user.list("user", {"email": email}), "nobody was made"


async def test_only_what_asks_the_shop_again_is_run_by_hand() -> None:
    """A new one on this list needs a thought: what does its route make sure of that nobody does without it?"""
    load_workflows(["velella.workflows"])
    ours = [one for one in definitions._workflows.values() if one.by_hand and one.function.__module__.startswith("velella.")]
    assert sorted(one.name for one in ours) == ["complete-cart", "process-payment-workflow"]


async def test_nobody_gets_the_result_of_another_transaction(merchant: Merchant, ship: str) -> None:
    body = {"input": {"ship": "another"}, "transaction_id": ship}
    status, type, _ = await merchant.refused("POST", f"{PATH}/test-put-to-sea/run", body)
    assert (status, type) == (400, "invalid_data")
    assert (await merchant.get(PATH, transaction_id=ship))["count"] == 0


async def entering(merchant: Merchant, ship: str, *states: str) -> dict[str, Any]:
    """The execution of `test-enter`, once it is in one of these states; where it invokes, once it waits for the harbour."""
    while True:
        (row,) = (await merchant.get(PATH, transaction_id=ship))["workflow_executions"]
        waits = row["execution"]["steps"].get("_root.pack-crates.ask-harbour", {}).get("invoke") == {
            "state": "invoking",
            "status": "waiting",
        }
        if row["state"] in states and (waits or row["state"] != "invoking"):
            return dict(row)
        await asyncio.sleep(0.02)


async def test_a_step_that_waits_is_answered_once_by_the_routes(merchant: Merchant, ship: str) -> None:
    await merchant.post(f"{PATH}/test-enter/run", {"input": {"ship": ship}})
    waiting = await entering(merchant, ship, "invoking")
    at = "_root.pack-crates.ask-harbour"
    assert waiting["execution"]["steps"][at]["invoke"] == {"state": "invoking", "status": "waiting"}
    body = {"transaction_id": ship, "step_id": "ask-harbour", "response": {"berth": 7, "fee": 1.5, "note": None}}
    compensating = await merchant.refused("POST", f"{PATH}/test-enter/steps/success", {**body, "action": "compensate"})
    assert compensating[:2] == (400, "not_allowed")
    assert await merchant.post(f"{PATH}/test-enter/steps/success", body) == {"success": True}
    for way in ("success", "failure"):
        status, type, message = await merchant.refused("POST", f"{PATH}/test-enter/steps/{way}", {**body, "response": "again"})
        assert (status, type) == (400, "not_allowed")
        assert "does not wait" in message
    done = await entering(merchant, ship, "done")
    assert ways(done)[at] == ("done", "dormant")


async def test_a_step_that_was_answered_is_not_answered_again_while_the_execution_goes_on(merchant: Merchant, ship: str) -> None:
    tide.clear()
    await merchant.post(f"{PATH}/test-moor/run", {"input": {"ship": ship}})
    body = {"transaction_id": ship, "step_id": "ask-harbour", "response": "in"}
    while (await merchant.client("POST", f"{PATH}/test-moor/steps/success", body)).status != 200:  # it isn't asked yet
        await asyncio.sleep(0.02)
    for _ in range(3):
        refused = await merchant.refused("POST", f"{PATH}/test-moor/steps/failure", body)
        assert refused[:2] == (400, "not_allowed")
    tide.set()
    while (await merchant.get(PATH, transaction_id=ship))["workflow_executions"][0]["state"] != "done":
        await asyncio.sleep(0.02)


async def test_a_step_that_is_said_to_have_failed_is_undone_with_all_before_it(merchant: Merchant, ship: str) -> None:
    await merchant.post(f"{PATH}/test-enter/run", {"input": {"ship": ship}})
    await entering(merchant, ship, "invoking")
    body = {"transaction_id": ship, "step_id": "_root.pack-crates.ask-harbour", "response": "It is full."}
    assert await merchant.post(f"{PATH}/test-enter/steps/failure", body) == {"success": True}
    gone = await entering(merchant, ship, "reverted")
    whole = (await merchant.get(f"{PATH}/{gone['id']}"))["workflow_execution"]
    assert [each["error"]["message"] for each in whole["context"]["errors"]] == ["The step ask-harbour failed: It is full."]
    assert ways(whole)["_root.pack-crates"] == ("done", "reverted")


async def test_nobody_answers_a_step_of_an_execution_that_is_not_there(merchant: Merchant, ship: str) -> None:
    for way in ("success", "failure"):
        body = {"transaction_id": ship, "step_id": "ask-harbour"}
        assert (await merchant.refused("POST", f"{PATH}/test-enter/steps/{way}", body))[:2] == (404, "not_found")


async def test_who_follows_hears_that_a_step_waits(merchant: Merchant, ship: str) -> None:
    async with following(merchant.client, "test-enter") as next_event:
        await merchant.post(f"{PATH}/test-enter/run", {"input": {"ship": ship}})
        heard = [await next_event() for _ in range(3)]
        assert [event["event_type"] for event in heard] == ["onBegin", "onStepSuccess", "onStepAwaiting"]
        assert heard[2]["step"]["id"] == "ask-harbour"
        await merchant.post(f"{PATH}/test-enter/steps/success", {"transaction_id": ship, "step_id": "ask-harbour", "response": "berth 7"})
        heard = [await next_event() for _ in range(2)]
    assert [event["event_type"] for event in heard] == ["onStepSuccess", "onFinish"]
    assert heard[1]["result"] == "berth 7"


async def test_a_step_that_does_not_wait_takes_no_answer(merchant: Merchant, ship: str) -> None:
    await sail(merchant, ship)
    for way in ("success", "failure"):
        body = {"transaction_id": ship, "step_id": "hoist-sails"}
        status, type, message = await merchant.refused("POST", f"{PATH}/test-put-to-sea/steps/{way}", body)
        assert (status, type) == (400, "not_allowed")
        assert "does not wait" in message


# -- following


@asynccontextmanager
async def following(client: Client, path: str) -> AsyncIterator[Any]:
    """`await next_event()` gives what the stream tells next."""
    async with client.session.get(f"{client.base}{PATH}/{path}/subscribe", headers=client.headers) as stream:
        assert stream.status == 200
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert await stream.content.readuntil(b"\n\n") == b": following\n\n"

        async def next_event() -> dict[str, Any]:
            while not (line := await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 20)).startswith(b"data: "):
                pass
            return dict(json.loads(line.removeprefix(b"data: ")))

        yield next_event


async def test_who_follows_a_workflow_hears_what_is_new(merchant: Merchant, ship: str) -> None:
    await sail(merchant, f"{ship}-before")
    async with following(merchant.client, "test-put-to-sea") as next_event:
        await sail(merchant, ship, wind=False)
        heard = [await next_event() for _ in range(4)]
    assert {event["transaction_id"] for event in heard} == {ship}
    assert [event["event_type"] for event in heard] == ["onBegin", "onStepSuccess", "onCompensateBegin", "onFinish"]
    assert heard[1]["step"]["id"] == "pack-crates"
    assert (heard[3]["state"], heard[3]["errors"][0]["error"]["message"]) == ("reverted", "There is no wind.")


async def test_who_looks_while_it_is_undone_hears_the_same(
    merchant: Merchant, ship: str, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps are told before the undoing, also where a look falls between the two."""
    go_on = asyncio.Event()

    async def slowly(flow: Flow, made: str) -> None:
        await go_on.wait()

    step = definitions._steps[pack_crates.reference]
    slow = dataclasses.replace(step, undo=slowly)
    monkeypatch.setitem(definitions._steps, step.reference, slow)
    monkeypatch.setattr(sys.modules[__name__], "pack_crates", slow)
    async with following(merchant.client, "test-put-to-sea") as next_event:
        undone = asyncio.create_task(sail(merchant, ship, wind=False))
        heard = [await next_event() for _ in range(3)]
        go_on.set()
        heard.append(await next_event())
        await undone
    assert [event["event_type"] for event in heard] == ["onBegin", "onStepSuccess", "onCompensateBegin", "onFinish"]


async def test_many_that_are_begun_at_once_are_all_carried_out(merchant: Merchant, ship: str) -> None:
    many = 40
    await asyncio.gather(*(merchant.post(f"{PATH}/test-drift/run", {"input": {"ship": f"{ship}-{each}"}}) for each in range(many)))
    while True:
        found = await merchant.get(PATH, workflow_id="test-drift", limit="200", fields="state,context")
        rows = [row for row in found["workflow_executions"] if row["context"]["data"]["payload"]["ship"].startswith(ship)]
        if len(rows) == many and all(row["state"] in ("done", "reverted", "failed") for row in rows):
            break
        await asyncio.sleep(0.05)
    assert {row["state"] for row in rows} == {"done"}


async def test_one_that_is_beyond_its_point_of_no_return_shows_what_it_waits_for(merchant: Merchant, ship: str, shop: Shop) -> None:
    path = f"{PATH}/test-cast-off/{ship}"
    await merchant.post(f"{PATH}/test-cast-off/run", {"input": {"ship": ship}})
    while (found := await merchant.get(PATH, transaction_id=ship, state="finishing"))["count"] == 0:
        await asyncio.sleep(0.02)
    [row] = found["workflow_executions"]
    assert ways(row)["_root.weigh-anchor"] == ("done", "dormant")
    whole = (await merchant.get(path))["workflow_execution"]
    assert [each["error"]["message"] for each in whole["context"]["errors"]] == ["The pilot is away."]
    [listed] = [each for each in await shop.host.workflows.list(state="finishing") if each["key"] == ship]
    assert listed["waits_at"] == "2 find-pilot"
    pilots.append(ship)
    while (await merchant.get(path))["workflow_execution"]["state"] != "done":
        await asyncio.sleep(0.1)


async def test_a_merchant_gives_up_what_waits_at_a_step_for_ever(merchant: Merchant, ship: str, shop: Shop) -> None:
    path = f"{PATH}/test-cast-off"
    await merchant.post(f"{path}/run", {"input": {"ship": ship}})
    while (found := await merchant.get(PATH, transaction_id=ship, state="finishing"))["count"] == 0:
        await asyncio.sleep(0.02)
    steps, waiting = found["workflow_executions"][0]["execution"]["steps"], "_root.weigh-anchor.find-pilot"
    assert steps[waiting]["invoke"] == {"state": "invoking", "status": "temporary_failure"}
    body = {"transaction_id": ship, "step_id": waiting, "response": "sailed without"}
    while (told := await merchant.client("POST", f"{path}/steps/failure", body)).status == 409:  # it is just tried again
        await asyncio.sleep(0.05)
    assert (told.status, told.json) == (200, {"success": True})
    whole = (await merchant.get(f"{path}/{ship}"))["workflow_execution"]
    assert whole["state"] == "failed"
    assert ways(whole)[waiting][0] == "failed"
    assert "sailed without" in whole["context"]["errors"][0]["error"]["message"]
    [row] = [each for each in await shop.host.workflows.list(state="failed") if each["key"] == ship]
    assert row["given_up"]["by"].startswith("user_")
    assert row["given_up"]["reason"] == "sailed without"


async def test_a_door_that_closes_lets_go_of_those_who_follow(merchant: Merchant, shop: Shop) -> None:
    door = FrontEnd(shop.host.context, workflows_executions.routes)
    await door.start()
    follower = Client(merchant.client.session, f"http://127.0.0.1:{door.port}", merchant.client.headers)
    async with following(follower, "test-put-to-sea") as next_event:
        await asyncio.wait_for(door.stop(), 5)
        with pytest.raises((asyncio.IncompleteReadError, aiohttp.ClientError)):
            await next_event()


async def test_a_door_has_only_so_many_who_follow(merchant: Merchant, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = len(shop.front._streaming)  # of whom the door hasn't heard yet that they went
    monkeypatch.setattr("velella.http.server.front.STREAMS", gone + 1)
    async with following(merchant.client, "test-put-to-sea"):
        status, _, message = await merchant.refused("GET", f"{PATH}/test-put-to-sea/subscribe")
        assert (status, message) == (503, "Too many follow something here already.")


async def test_who_follows_a_transaction_hears_also_what_it_has_done(merchant: Merchant, ship: str) -> None:
    await sail(merchant, ship)
    async with following(merchant.client, f"test-put-to-sea/{ship}") as next_event:
        heard = [await next_event() for _ in range(4)]
    assert [event["event_type"] for event in heard] == ["onBegin", "onStepSuccess", "onStepSuccess", "onFinish"]
    assert heard[3]["result"] == f"crates of {ship}"
