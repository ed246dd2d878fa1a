"""Which browsers' pages may read answers: one list of origins each for /store, /admin and /auth."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...core.errors import Misconfigured
from ...core.settings import Settings

METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE"


class Origins:
    """A setting like `https://shop.example,/\\.shop\\.example$/` or `*`."""

    def __init__(self, setting: str, name: str) -> None:
        self.any = False
        self.exact: set[str] = set()
        self.patterns: list[re.Pattern[str]] = []
        for entry in filter(None, (part.strip() for part in setting.split(","))):
            if entry == "*":
                self.any = True
            elif len(entry) > 1 and entry.startswith("/") and entry.rstrip("gimsuy").endswith("/"):
                flags = re.IGNORECASE if "i" in entry[entry.rindex("/") :] else re.NOFLAG
                try:
                    self.patterns.append(re.compile(entry[1 : entry.rindex("/")], flags))
                except re.error as error:
                    raise Misconfigured(f"{name} holds a pattern that isn't one: {entry}: {error}") from None
            else:
                self.exact.add(entry.rstrip("/"))

    def allows(self, origin: str) -> bool:
        return self.any or origin in self.exact or any(pattern.search(origin) for pattern in self.patterns)


class Cors:
    """Adds to every answer what the browser needs to let the page see it."""

    def __init__(self, settings: Settings) -> None:
        self.areas = {
            "store": Origins(settings.store_cors, "store_cors"),
            "admin": Origins(settings.admin_cors, "admin_cors"),
            "auth": Origins(settings.auth_cors, "auth_cors"),
        }

    def headers(self, area: str, origin: str | None) -> dict[str, str]:
        """Of an ordinary answer. Caches between us and the browser must keep answers to different origins apart."""
        origins = self.areas.get(area)
        if origins is None:
            return {}
        if origin is None or not origins.allows(origin):
            return {"Vary": "Origin"}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": "x-request-id,retry-after",
            "Vary": "Origin",
        }

    def preflight(self, area: str, headers: Mapping[str, str]) -> dict[str, str] | None:
        """Of the question that a browser asks before a request; None where the area takes no questions."""
        if area not in self.areas:
            return None
        answer = self.headers(area, headers.get("Origin"))
        answer.pop("Access-Control-Expose-Headers", None)
        answer["Vary"] = "Origin, Access-Control-Request-Headers"
        if "Access-Control-Allow-Origin" in answer:
            answer["Access-Control-Allow-Methods"] = METHODS
            asked = headers.get("Access-Control-Request-Headers")
            if asked:
                answer["Access-Control-Allow-Headers"] = asked
        return answer
