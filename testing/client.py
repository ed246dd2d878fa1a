"""Clients of a shop's two APIs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import aiohttp

from ..core import json


class Answer(NamedTuple):
    """What a request was answered."""

    status: int
    body: Any
    """JSON, parsed; the text where it isn't JSON."""


class Refused(AssertionError):
    """A request was answered with an error: `pytest.raises(Refused)` where a test wants that."""

    def __init__(self, asked: str, answer: Answer) -> None:
        super().__init__(f"{asked} was answered {answer.status}: {answer.body}")
        self.status, self.body = answer

    @property
    def type(self) -> str:
        """`not_found`, `not_allowed`, `invalid_data`, …"""
        return str(self.body["type"])

    @property
    def message(self) -> str:
        return str(self.body["message"])


@dataclass(frozen=True)
class Client:
    """A client with the headers that admit it. Query parameters are keywords: `get("/store/products", limit=1, fields="id")`."""

    session: aiohttp.ClientSession
    base: str
    headers: dict[str, str] = field(default_factory=dict)

    def with_headers(self, **headers: str) -> Client:
        """The same client with more headers; `_` stands for `-`."""
        return Client(self.session, self.base, {**self.headers, **{name.replace("_", "-"): text for name, text in headers.items()}})

    async def send(self, method: str, path: str, body: Any = None, **params: Any) -> Answer:
        """The answer, whatever it is. `body` is sent as JSON; amounts may be Decimal."""
        headers = self.headers if body is None else {**self.headers, "content-type": "application/json"}
        data = None if body is None else json.dumps(body)
        async with self.session.request(method, self.base + path, data=data, params=params, headers=headers) as response:
            text = await response.text()
            return Answer(response.status, json.loads(text) if text[:1] in ("{", "[") else text)

    async def get(self, path: str, **params: Any) -> Any:
        """The body of the answer. Raises Refused for an error."""
        return await self._expect("GET", path, None, params)

    async def post(self, path: str, body: Any = None, **params: Any) -> Any:
        """The body of the answer. Raises Refused for an error."""
        return await self._expect("POST", path, {} if body is None else body, params)

    async def delete(self, path: str, **params: Any) -> Any:
        """The body of the answer. Raises Refused for an error."""
        return await self._expect("DELETE", path, None, params)

    async def _expect(self, method: str, path: str, body: Any, params: dict[str, Any]) -> Any:
        answer = await self.send(method, path, body, **params)
        if answer.status >= 400:
            raise Refused(f"{method} {path}", answer)
        return answer.body
