"""The one way out: how providers ask somebody outside of the shop.

    self.outside = OutsideParty("ShipStation", timeout=12.0, retries=2)
    answer = await self.outside.ask("GET", f"{base}/carriers", headers={"API-Key": key})

An attempt has its seconds, from connecting to the last byte, and an answer its bytes. What failed is tried again, after pauses that
double, with jitter, where that can't do anything twice: nothing was sent; the other side says that it did nothing (429); the request may
be repeated (`again`). Who was silent until the time was over isn't asked again at once, and no pause is begun that the other side or the
caller has no time for. Where nothing came back several times in a row, one in each `timeout` waits for whether that has changed, and the
others are told at once. Each attempt is counted and timed (`velella_provider_duration_seconds`). Who speaks something else than HTTP has
`attempt` and `tried`.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from .. import json
from ..errors import Busy, Unavailable, VelellaError
from ..message import call_context
from ..metrics import Sample, Timings

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")

Went = Literal["ok", "refused", "limited", "failed", "lost", "timeout", "unreachable", "cancelled"]
"""How an attempt went: done; refused (4xx); asked too often (429); an error over there (5xx, or what nobody understands); the answer broke
off or was too large; no answer in time; no connection; the caller didn't wait."""
FIRST_PAUSE: Final = 0.25
"""Seconds before the second attempt; each further pause is twice as long."""
SILENCES: Final = 3
"""Attempts in a row without an answer in time after which not everybody waits for one any more."""
CONNECT_SECONDS: Final = 5.0
"""Seconds in which a connection has to be there."""
MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes of an answer, unless its party sets another bound."""
MOST_VALUES: Final = 1_000_000
"""Values in its JSON."""
MOST_SHOWN: Final = 500
"""Characters of an answer that a hint shows."""

_attempts: Timings[tuple[str, str, Went]] = Timings()
"""Of this process: durations of attempts by module, provider and how they went."""


def samples() -> Iterator[Sample]:
    for labels, timing in list(_attempts.items()):
        yield "velella_provider_duration_seconds", labels, timing.value


class Missed(Exception):
    """An attempt that came to nothing."""

    def __init__(self, went: Went, error: VelellaError, *, undone: bool = False, pause: float = 0.0) -> None:
        """`error`: what the caller is told if it was the last one. `undone`: it is certain that nothing was done. `pause`: seconds that
        the other side asks for."""
        super().__init__(error.message)
        self.went: Went = went
        self.error = error
        self.undone = undone
        self.pause = pause


class Attempt:
    """One that is under way."""

    went: Went = "ok"


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered, whole."""

    party: str
    status: int
    headers: Mapping[str, str]
    """Their case doesn't matter."""
    body: bytes

    @property
    def shown(self) -> str:
        """The beginning of it, for hints."""
        return self.body[: 4 * MOST_SHOWN].decode(errors="replace")[:MOST_SHOWN]

    @property
    def pause(self) -> float:
        """Seconds that `Retry-After` asks for; 0: it doesn't."""
        return _seconds(self.headers.get("Retry-After"))

    def json(self) -> Any:
        """Its JSON, numbers exact; an empty object where it is empty. Raises Unavailable for what is none."""
        try:
            return json.received(self.body, MOST_VALUES) if self.body else {}
        except ValueError:
            raise Unavailable(f"{self.party} answers {self.status} with what is no JSON", hint=self.shown) from None


class OutsideParty:
    """Somebody who is asked by one provider. Costs nothing until it is."""

    def __init__(self, name: str, *, timeout: float = 12.0, retries: int = 2, most_bytes: int = MOST_BYTES) -> None:
        """`name`: for messages. `timeout`: seconds for one attempt, and the longest pause before another one. `retries`: attempts after
        the first."""
        if not (timeout > 0 and retries >= 0):
            raise ValueError("timeout is a number of seconds, retries a number from 0")
        self.name = name
        self.timeout = timeout
        self._retries = retries
        self._most_bytes = most_bytes
        self._labels = ("", name)
        self._silences = 0
        self._next = 0.0
        """When the next attempt is made while it is silent, in monotonic seconds."""
        self._session: aiohttp.ClientSession | None = None

    def count_as(self, module: str, provider: str) -> None:
        """Under which names attempts are counted: those of the settings, once they are known."""
        self._labels = (module, provider)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    # -- attempts

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Count and time what is in the block. What it raises says how it went, unless the block says so itself.

        Raises Missed where the other side is silent, and somebody else is just trying."""
        if self._silences >= SILENCES:
            self._let_one_try()
        one, begun = Attempt(), time.perf_counter()
        try:
            yield one
        except BaseException as error:
            if one.went == "ok":
                one.went = _went(error)
            raise
        finally:
            _attempts[*self._labels, one.went].observe(time.perf_counter() - begun)
            if one.went == "timeout":
                self._silences += 1
            elif one.went != "cancelled":
                self._silences = 0

    def _let_one_try(self) -> None:
        now = time.monotonic()
        if now < self._next:
            hint = f"It was silent {self._silences} times in a row. It is asked again in {self._next - now:.1f} s."
            raise Missed("timeout", Unavailable(f"{self.name} doesn't answer", hint=hint, retry_after=self._next - now))
        self._next = now + self.timeout

    async def tried(self, once: Callable[[], Awaitable[T]], *, again: bool = False) -> T:
        """What `once` returns, which raises `Missed` for an attempt that came to nothing. `again`: it may be carried out twice."""
        for failures in range(1, self._retries + 2):
            try:
                return await once()
            except Missed as missed:
                pause = max(missed.pause, min(self.timeout, FIRST_PAUSE * 2 ** (failures - 1)) * random.uniform(0.5, 1.0))
                worthwhile = missed.undone or (again and missed.went != "timeout")
                if not worthwhile or failures > self._retries or pause > self._time_left():
                    raise missed.error from missed
                await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    def _time_left(self) -> float:
        call = call_context.get()
        return self.timeout if call is None else min(self.timeout, call.left())

    # -- HTTP

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        again: bool | None = None,
    ) -> Answer:
        """What the other side answers, done or refused: a status of 2xx, or 4xx other than 429.

        Args:
            data: bytes, or a mapping that is sent as a form.
            again: whether it may be carried out twice, because it changes nothing or has a key. Default: what HTTP says of the method.

        Raises Busy where it was asked too often, with the seconds to wait; Unavailable where it doesn't answer, or has an error.
        """

        async def once() -> Answer:
            answer = await self.send(method, url, headers=headers, data=data)
            if answer.status == 429:
                busy = Busy(f"{self.name} is asked too often", hint=answer.shown, retry_after=answer.pause or 5.0)
                raise Missed("limited", busy, undone=True, pause=answer.pause)
            if answer.status >= 500 or 300 <= answer.status < 400:
                broken = Unavailable(f"{self.name} has an error", hint=f"It answers {answer.status}: {answer.shown}")
                raise Missed("failed", broken, pause=answer.pause)
            return answer

        return await self.tried(once, again=method in ("GET", "HEAD", "PUT", "DELETE") if again is None else again)

    async def send(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, data: Any = None) -> Answer:
        """One attempt: the answer, whatever its status. Redirects aren't followed. Raises Missed where there is none."""
        import aiohttp

        said = {**(headers or {}), "Accept-Encoding": "identity"}  # packed, a small answer may be a large one
        limits = aiohttp.ClientTimeout(total=self.timeout, sock_connect=min(self.timeout, CONNECT_SECONDS))
        with self.attempt() as attempt:
            try:
                async with self._opened().request(method, url, headers=said, data=data, timeout=limits, allow_redirects=False) as answer:
                    body = await self._read(answer)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                raise self._missed("unreachable", "can't be reached", error, undone=True) from error
            except TimeoutError as error:
                raise self._missed("timeout", "doesn't answer", error) from error
            except (aiohttp.ClientError, OSError) as error:
                raise self._missed("lost", "doesn't answer", error) from error
            attempt.went = _by_status(answer.status)
            return Answer(self.name, answer.status, answer.headers, body)

    def _opened(self) -> aiohttp.ClientSession:
        import aiohttp  # which processes that ask nobody needn't load

        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        """All of an answer: a single `read` gives what has arrived, which may be a piece of it."""
        body = bytearray()
        async for piece in answer.content.iter_any():
            body += piece
            if len(body) > self._most_bytes:
                raise Missed("lost", Unavailable(f"{self.name} answers more than {self._most_bytes:,} bytes"))
        return bytes(body)

    def _missed(self, went: Went, what: str, error: Exception, *, undone: bool = False) -> Missed:
        said = str(error)
        hint = f"{type(error).__name__}: {said}" if said else f"{type(error).__name__}, after up to {self.timeout:g} s"
        return Missed(went, Unavailable(f"{self.name} {what}", hint=hint), undone=undone)


def _went(error: BaseException) -> Went:
    if isinstance(error, Missed):
        return error.went
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "unreachable"
    return "refused" if isinstance(error, VelellaError) and error.status < 500 else "failed"


def _by_status(status: int) -> Went:
    if status == 429:
        return "limited"
    return "ok" if status < 300 else "refused" if 400 <= status < 500 else "failed"


def _seconds(text: str | None) -> float:
    """Of `Retry-After`: a number, or a date."""
    if not text:
        return 0.0
    try:
        seconds = float(text) if text[0].isdigit() else parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0
