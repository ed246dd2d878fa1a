"""PostHog as tests have it: its API for capturing events as https://posthog.com/docs/api/capture describes it, on a loopback port.

A request needs the project's key and less than 20 MB, an event its name and a `distinct_id`. Events are taken without a look at the key's
project, as there; those of a stranger's key are dropped. One with the `uuid`, name, time and `distinct_id` of another one is that one; one
with a `uuid` that is none is dropped. `/flags` knows whether there is such a project.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from aiohttp import web

KEY = "phc_velella"
MOST_BYTES = 20 * 1024 * 1024


class PostHogDesk:
    """`async with PostHogDesk() as desk: desk.url`"""

    def __init__(self) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        """Those that were taken."""
        self.url = ""
        self._kept: dict[tuple[str, ...], dict[str, Any]] = {}

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it counts."""
        return list(self._kept.values())

    def clear(self) -> None:
        self.batches.clear()
        self._kept.clear()

    async def batch(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not str(body.get("api_key", "")):
            return _refused(401, "authentication_error", "invalid_api_key", "Project API key missing")
        for event in body.get("batch", ()):
            who = event.get("distinct_id") or event.get("properties", {}).get("distinct_id")
            if not isinstance(event.get("event"), str) or not event["event"] or not isinstance(who, str) or not who:
                return _refused(400, "validation_error", "invalid_payload", "Event must have an event name and a distinct_id")
            if len(who) > 200:
                return _refused(400, "validation_error", "invalid_payload", "distinct_id is too long")
        self.batches.append(body["batch"])
        for event in body["batch"] if body["api_key"] == KEY else ():
            if _is_uuid(event.get("uuid")):
                self._kept[event["uuid"], event["event"], event.get("timestamp", ""), event["distinct_id"]] = event
        return web.json_response({"status": "Ok"})

    async def flags(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("api_key") != KEY:
            return _refused(401, "authentication_error", "invalid_api_key", "Project API key invalid")
        assert body["distinct_id"]
        return web.json_response({"flags": {}, "errorsWhileComputingFlags": False})

    async def __aenter__(self) -> PostHogDesk:
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_post("/batch/", self.batch)
        app.router.add_post("/flags", self.flags)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()


def _refused(status: int, kind: str, code: str, detail: str) -> web.Response:
    return web.json_response({"type": kind, "code": code, "detail": detail, "attr": None}, status=status)


def _is_uuid(text: Any) -> bool:
    try:
        UUID(text)
    except (ValueError, TypeError, AttributeError):
        return False
    return True
