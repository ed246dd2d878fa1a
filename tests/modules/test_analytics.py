"""Analytics: what is told arrives, in few requests, or whoever tells it hears that it hasn't."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from velella.core.clock import utc_now
from velella.core.errors import Busy, InvalidData, Misconfigured, Unavailable, UnexpectedState
from velella.core.ids import following
from velella.core.service.context import ModuleContext
from velella.core.service.providers import Providers
from velella.core.settings import ProviderSettings, Settings
from velella.core.sql.db.database import Database
from velella.modules.analytics import MODULE
from velella.modules.analytics.service import AnalyticsService

from ..parties import Party
from .conftest import Opened

AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.fixture
async def posthog(parties: Opened) -> AsyncIterator[Party]:
    party = await parties("posthog")
    party.desk.clear()
    yield party
    assert party.way is not None
    await party.way.play(None)


def service(*configured: ProviderSettings) -> AnalyticsService:
    """By itself: it has no tables."""
    providers = Providers("analytics", MODULE.provider_kinds, configured, MODULE.provider)
    return AnalyticsService(ModuleContext(Settings(), Database("postgresql://nowhere"), providers, _nobody))


async def _nobody(changed: frozenset[str]) -> None:
    """Ignores the invalidation."""


@pytest.fixture
async def analytics(posthog: Party) -> AsyncIterator[AnalyticsService]:
    made = service(posthog.configured)
    yield made
    await made.stop()


async def test_what_is_told_is_what_posthog_knows(analytics: AnalyticsService, posthog: Party) -> None:
    await analytics.track(
        "order_placed",
        actor_id="cus_1",
        group={"type": "company", "id": "acme"},
        properties={"total": Decimal("19.90"), "items": [1, 2]},
        key="evt_1",
        at=AT,
    )
    await analytics.track("stock_counted")
    await analytics.identify(actor_id="cus_1", properties={"email": "ada@example.com"})
    await analytics.identify(group={"type": "company", "id": "acme"}, properties={"plan": "gold"})
    placed, counted, person, group = posthog.desk.events
    assert (placed["event"], placed["distinct_id"], placed["timestamp"]) == ("order_placed", "cus_1", "2026-11-30T12:00:00.000Z")
    assert (placed["properties"]["total"], placed["properties"]["items"]) == (19.9, [1, 2])
    assert placed["properties"]["$groups"] == {"company": "acme"}
    assert counted["properties"]["$process_person_profile"] is False, "nobody did it, so no person is made"
    assert (person["event"], person["properties"]["$set"]) == ("$identify", {"email": "ada@example.com"})
    about = group["properties"]
    assert (group["event"], about["$group_type"], about["$group_key"], about["$group_set"]) == (
        "$groupidentify", "company", "acme", {"plan": "gold"},
    )  # fmt: skip


async def test_under_one_key_it_counts_once(analytics: AnalyticsService, posthog: Party) -> None:
    for key in ("evt_1", "evt_1", "evt_2", None, None):
        await analytics.track("order_placed", actor_id="cus_1", key=key, at=AT)
    await analytics.track("order_paid", actor_id="cus_1", key="evt_1", at=AT)
    assert len(posthog.desk.events) == 5
    posthog.desk.clear()
    id = following(lambda: (AT, "any"))()
    for _ in range(2):  # whoever says no time: the id has one
        await analytics.track("order_placed", actor_id="cus_1", key=f"evt_{id}")
        await analytics.identify(actor_id="cus_1", properties={"plan": "gold"}, key=f"wfex_{id}:0")
        await asyncio.sleep(0.01)
    assert [event["timestamp"] for event in posthog.desk.events] == ["2026-11-30T12:00:00.000Z"] * 2
    posthog.desk.clear()
    keys = (sha256(b"order_1").hexdigest().upper(), "7" + "Z" * 25, "20261130120000" + "1".zfill(12))  # they look like ids, and aren't
    for key in keys:
        await analytics.track("order_placed", actor_id="cus_1", key=key)
    told = {datetime.fromisoformat(event["timestamp"]) for event in posthog.desk.events}
    assert len(posthog.desk.events) == len(keys)
    assert all(abs(utc_now() - at) < timedelta(minutes=1) for at in told)


async def test_many_at_once_go_together_and_one_that_is_refused_keeps_no_other(analytics: AnalyticsService, posthog: Party) -> None:
    """The stand-in takes no id of more than 200 characters, which a group's with its type may be."""
    told = [analytics.track("seen", actor_id=f"cus_{n}") for n in range(350)]
    refused = analytics.track("seen", group={"type": "t" * 150, "id": "g" * 150})
    *answers, last = await asyncio.gather(*told[:100], *told[100:], refused, return_exceptions=True)
    assert set(answers) == {None}
    assert isinstance(last, InvalidData)
    assert {event["distinct_id"] for event in posthog.desk.events} == {f"cus_{n}" for n in range(350)}
    assert max(map(len, posthog.desk.batches)) == 100
    assert len(posthog.desk.batches) < 20


@pytest.mark.parametrize("fault", ["killed", "silent", "failed", "cut"])
async def test_what_could_not_be_told_is_not_taken_for_told(analytics: AnalyticsService, posthog: Party, fault: Any) -> None:
    assert posthog.way is not None
    analytics.providers.get("posthog").outside.timeout = 0.5
    await posthog.way.play(fault)
    told = [analytics.track("seen", actor_id="cus_1", key=f"evt_{n}", at=AT) for n in range(5)]
    answers = await asyncio.gather(*told, return_exceptions=True)
    assert all(isinstance(answer, Unavailable) for answer in answers), answers
    await posthog.way.play("slow")
    await asyncio.gather(*(analytics.track("seen", actor_id="cus_1", key=f"evt_{n}", at=AT) for n in range(5)))
    assert len(posthog.desk.events) == 5, "also where it had been taken, and the answer was lost"


async def test_who_gives_up_is_not_waited_for_and_who_waits_at_the_end_is_told(posthog: Party) -> None:
    slow = ProviderSettings(use="posthog", id="posthog", options={**posthog.configured.options, "flush_interval": 5.0})
    made = service(slow)
    one, two = (asyncio.create_task(made.track("seen", actor_id=id)) for id in ("cus_1", "cus_2"))
    await asyncio.sleep(0.05)
    one.cancel()
    await made.stop()
    answers = await asyncio.gather(one, two, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError, Unavailable]
    assert posthog.desk.events == []


async def test_what_waits_is_bounded(analytics: AnalyticsService, posthog: Party) -> None:
    big = {"a": "x" * 250_000}
    assert posthog.way is not None
    await posthog.way.play("silent")
    told = [asyncio.create_task(analytics.track("seen", actor_id=f"cus_{n}", properties=big)) for n in range(300)]
    answers, _ = await asyncio.wait(told, timeout=0.5)
    assert 0 < len(answers) < 60, "what has no room is told so at once"
    assert all(isinstance(answer.exception(), Busy) for answer in answers)
    await posthog.way.play(None)
    for task in told:
        task.cancel()
    await asyncio.gather(*told, return_exceptions=True)
    await analytics.track("seen", actor_id="cus_1")


async def test_what_can_not_be_told_is_refused(analytics: AnalyticsService, posthog: Party) -> None:
    for event, more in (
        ("", {}),
        ("x" * 201, {}),
        ("seen", {"actor_id": ""}),
        ("seen", {"group": {"type": "company"}}),
        ("seen", {"properties": {"a": object()}}),
        ("seen", {"properties": {"a": "x" * 300_000}}),
    ):
        with pytest.raises(InvalidData):
            await analytics.track(event, **more)
    with pytest.raises(InvalidData):
        await analytics.identify(properties={"a": 1})
    assert posthog.desk.batches == []


async def test_the_doctor_sees_whether_the_project_is_there(posthog: Party) -> None:
    assert await posthog.provider.check() == "PostHog knows the project"
    kind = MODULE.provider_kinds["posthog"]
    stranger = kind(**{**posthog.configured.options, "api_key": "phc_other"})
    with pytest.raises(UnexpectedState, match="doesn't know"):
        await stranger.check()
    await stranger.close()


@pytest.mark.parametrize(
    ("configured", "said"),
    [
        ([], "exactly one"),
        ([("local", {}), ("posthog", {"api_key": "phc_1"})], "exactly one"),
        ([("posthg", {})], "Did you mean `posthog`"),
        ([("posthog", {"api_kee": "phc_1"})], "Did you mean `api_key`"),
        ([("posthog", {"api_key": "phx_1"})], "phc_"),
        ([("posthog", {"api_key": "phc_1", "flush_at": 0})], "flush_at"),
        ([("posthog", {})], "api_key"),
    ],
)
def test_mistakes_in_the_settings_stop_the_start(configured: Any, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        service(*(ProviderSettings(use=use, id=use, options=options) for use, options in configured))
