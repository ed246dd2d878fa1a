"""PostHog, by its API for capturing events, in batches.

[[providers.analytics]]
use = "posthog"
options = { api_key = "phc_…", host = "https://eu.i.posthog.com" }
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ....core import json
from ....core.clock import iso
from ....core.errors import InvalidData, Misconfigured, UnexpectedState
from ....core.service.outside import Answer, OutsideParty
from ..provider import AnalyticsProvider, Group, Told, Tracked


class PostHog(AnalyticsProvider):
    """https://posthog.com/docs/api/capture. An event that is told again has the same `uuid` and time, by which PostHog counts it once."""

    identifier: ClassVar[str] = "posthog"

    def __init__(
        self,
        api_key: str,
        host: str = "https://eu.i.posthog.com",
        *,
        timeout: float = 10.0,
        retries: int = 2,
        flush_at: int = 100,
        flush_interval: float = 0.05,
    ) -> None:
        """`api_key`: the project's, which may only write. A batch has up to `flush_at` events; the first of them waits `flush_interval`
        seconds for others. `timeout`: seconds for one attempt; `retries`: attempts after one that failed."""
        if not api_key.startswith("phc_"):
            raise Misconfigured(
                "The analytics provider posthog needs the key of a project, which begins with phc_.",
                hint="Project settings, Project API key. One that begins with phx_ is a person's.",
            )
        if not (1 <= flush_at <= 1000 and 0 <= flush_interval <= 10):
            raise ValueError("flush_at lies between 1 and 1000, flush_interval between 0 and 10 s")
        self.most = flush_at
        self.seconds = flush_interval
        self._key = api_key
        self._host = host.rstrip("/")
        self.outside: OutsideParty = OutsideParty("PostHog", timeout=timeout, retries=retries)

    async def send(self, batch: Sequence[Told]) -> None:
        self._taken(await self._post("/batch/", {"batch": [_event(told) for told in batch]}))

    async def check(self) -> str:
        """Asks for the flags of nobody: events themselves are taken without a look at the key."""
        self._taken(await self._post("/flags?v=2", {"distinct_id": "velella-doctor"}))
        return "PostHog knows the project"

    async def _post(self, path: str, body: dict[str, Any]) -> Answer:
        data = json.dumps({"api_key": self._key, **body})
        return await self.outside.ask("POST", f"{self._host}{path}", headers={"Content-Type": "application/json"}, data=data, again=True)

    @staticmethod
    def _taken(answer: Answer) -> None:
        if answer.status in (401, 403):
            raise UnexpectedState("PostHog doesn't know the project", hint=f"{answer.shown} Look at `api_key` and `host`.")
        if answer.status in (400, 413, 422):
            raise InvalidData(f"PostHog refuses it: {answer.shown}")
        if answer.status >= 400:  # not what was told is wrong
            raise UnexpectedState(f"PostHog answers {answer.status}", hint=f"{answer.shown} Look at `host`.")


def _event(told: Told) -> dict[str, Any]:
    properties: dict[str, Any] = {"$lib": "velella", "$geoip_disable": True}  # the address is the shop's, not the buyer's
    if isinstance(told, Tracked):
        name = told.event
        properties = {**told.properties, **properties, **_groups(told.group)}
    elif told.group is not None:
        name = "$groupidentify"
        properties |= {"$group_type": told.group.type, "$group_key": told.group.id, "$group_set": dict(told.properties)}
    else:
        name = "$identify"
        properties["$set"] = dict(told.properties)
    who = told.actor_id
    if who is None and told.group is not None:
        who = f"${told.group.type}_{told.group.id}"  # as PostHog's own libraries call it
    if who is None:
        who, properties["$process_person_profile"] = told.id, False  # nobody: no person is made of it
    return {"uuid": told.id, "event": name, "distinct_id": who, "timestamp": iso(told.at), "properties": properties}


def _groups(group: Group | None) -> dict[str, Any]:
    return {} if group is None else {"$groups": {group.type: group.id}}
