"""Which browsers' pages may read answers, and which may write with the session of the logged-in actor: one list of origins each for
/store, /admin and /auth."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aiohttp import web

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

    def names(self, origin: str) -> bool:
        """Whether the setting lists this origin, and not only `*`."""
        return origin in self.exact or any(pattern.search(origin) for pattern in self.patterns)


class Cors:
    """Adds the headers to every answer that let the page read it."""

    def __init__(self, settings: Settings) -> None:
        self.areas = {
            "store": Origins(settings.store_cors, "store_cors"),
            "admin": Origins(settings.admin_cors, "admin_cors"),
            "auth": Origins(settings.auth_cors, "auth_cors"),
        }
        self._own = (settings.public_url or "").rstrip("/").lower()

    def headers(self, area: str, origin: str | None) -> dict[str, str]:
        """Headers of an ordinary answer. Shared caches must keep answers to different origins apart."""
        origins = self.areas.get(area)
        if origins is None:
            return {}
        if origin is None:
            return {"Vary": "Origin"}
        shown = {"Access-Control-Expose-Headers": "x-request-id,retry-after", "Vary": "Origin"}
        if origins.names(origin):
            return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", **shown}
        # any page may read public answers, and nothing that depends on a cookie
        return {"Access-Control-Allow-Origin": "*", **shown} if origins.any else {"Vary": "Origin"}

    def stranger(self, http: web.BaseRequest) -> str | None:
        """The origin of the page that sends this request, if it is neither ours nor listed in the settings; else None.

        Clients that aren't browsers send no origin.
        """
        site, origin = http.headers.get("Sec-Fetch-Site"), http.headers.get("Origin")
        if site == "same-origin":
            return None
        if origin is None:
            return f"a {site} page" if site in ("same-site", "cross-site") else None
        _, _, host = origin.lower().partition("://")
        if origin.lower() == self._own or (host and host == http.headers.get("Host", "").lower()):
            return None
        origins = self.areas.get(area_of(http.rel_url.raw_path))
        return None if origins is not None and origins.names(origin) else origin

    def preflight(self, area: str, headers: Mapping[str, str]) -> dict[str, str] | None:
        """Headers of the answer to a preflight request; None if the area doesn't allow it."""
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


def area_of(path: str) -> str:
    """The first segment of a path: callers and origins are checked by it."""
    return path.split("/", 2)[1] if path.startswith("/") else ""
