"""The front end: where HTTP ends and the shop begins. One in each process that serves HTTP.

A request passes in this order: trace id, route, cross-origin headers, storefront's key, caller, query string,
body, the route's function, compression. A request refused by one of these doesn't reach the next.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson
from aiohttp import web
from pydantic import ValidationError

from ...actors.caching import Cache
from ...actors.caching.shared import namespace_of
from ...actors.messaging.admission import Stay
from ...actors.observe.readiness import Readiness
from ...core import logs, tracing
from ...core.errors import Busy, DeadlineExceeded, Misconfigured, Unavailable, VelellaError
from ...core.graph.dependencies import Dependencies
from ...core.json import dumps
from ...core.kept import TIMES, BoundedCache, weight
from ...core.logs import logger
from ...core.message import CallContext, Service, call_context
from ...core.metrics import Sample, Timings
from ...core.settings import url_of
from ...modules.file.files import Files
from ..kit.access import CUSTOMER_OPTIONAL, USER
from ..kit.cached import LONGEST_QUERY, Cached, Remembered
from ..kit.client import is_secure
from ..kit.issues import invalid_request, issues_of
from ..kit.reply import Refused, Reply
from ..kit.request import Request
from ..kit.route import Route
from ..kit.routes import Match, RouteTree
from . import metrics
from .answers import ALWAYS, COMPRESSED_FROM, accepted_coding, compressed, error_reply, missing_page, unknown_reply
from .conditional import REVALIDATED, entity_tag, matches
from .connections import Connections
from .cors import Cors, area_of
from .credentials import Credentials
from .dashboard import dashboard_page, is_dashboard
from .fast_path import FastPath
from .incoming import LOCALE_HEADER, Understood, check_head, check_query, locale_of, own, read_body
from .shared_answers import SharedAnswers
from .static import STATIC, static_file
from .tokens import Tokens

if TYPE_CHECKING:
    from ...actors.context import HostContext

DRAIN_SECONDS = 3.0
"""Seconds that a front end that hands over waits for one more request on idle connections."""

UNDERSTOOD_BYTES = 8 * 1024 * 1024
"""Bytes of parsed query strings; and as many of the tags of their answers."""

STREAMS = 100
"""Endless answers that a front end sends at once: each polls for news."""

UPLOADS = 64
"""Uploads that a front end receives at once."""

log = logger("velella.http")

RELATIONS_LIMIT = 3
"""How deep the store's `fields` may go if a view sets no limit."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class FrontEnd(Service):
    """Serves HTTP on the settings' host and port; several processes may share the port."""

    name = "http"

    def __init__(self, context: HostContext, routes: Iterable[Route]) -> None:
        settings = context.settings.with_secrets()
        self.context = context
        self.settings = settings
        self.tokens = Tokens(settings.secret("jwt_secret"), settings.secret("cookie_secret"), settings.jwt_expires)
        self.routes = tuple(route for route in routes if route.flag is None or getattr(settings, route.flag))
        self._tree = RouteTree(iter(self.routes))
        self.files = Files.of(settings)
        self._cors = Cors(settings)
        self._credentials = Credentials(context, self.tokens, self._cors)
        self._restricted = frozenset(settings.restricted_fields)
        self._understood: BoundedCache[Understood] = BoundedCache(UNDERSTOOD_BYTES)
        """Query strings that were checked before, by route."""
        self._answers = Cache.of(settings)
        context.on_changed(self._answers.changed)
        self._shared = SharedAnswers(context.shared, namespace_of(settings)) if context.shared is not None else None
        self._fast_path = FastPath(self._answers, self._credentials, settings)
        context.on_changed(self._fast_path.changed)
        self._timings: Timings[tuple[Route | None, int]] = Timings()
        """Durations of requests, by route (None: no route served it) and status."""
        for source in (self._samples, partial(self._answers.samples, "answers"), self._fast_path.samples):
            context.metrics.add(source)
        self._made_of: BoundedCache[tuple[frozenset[str] | None, Dependencies | None]] = BoundedCache(UNDERSTOOD_BYTES)
        """The tags of the answers to query strings, by route; None: they may not be cached."""
        self._uploads = 0
        self._streaming: set[asyncio.Task[Any]] = set()
        """Requests with endless answers."""
        self._runner: web.ServerRunner | None = None
        self._draining = False
        self._logs_requests = settings.log_requests
        self._openapi: bytes | None = None
        self._readiness = Readiness(context.router)
        self._beside = {"/health": self._health, "/health/ready": self._ready, "/openapi.json": self._description}
        """Paths that aren't routes of the shop, and are answered even when it is full."""
        if settings.metrics != "off":
            self._beside["/metrics"] = partial(metrics.answer, context, settings)
        self.port: int | None = None
        """The port it listens on, once it does."""

    # -- life
    async def start(self) -> None:
        """Start listening. Raises Misconfigured if the port is taken by a process that doesn't share it."""
        handle = self._traced if tracing.is_on() else self._handle
        server = Connections(handle, self.settings, access_log=None, keepalive_timeout=75, auto_decompress=False, logger=_AiohttpLog())
        self._runner = web.ServerRunner(server, shutdown_timeout=self.settings.message_timeout)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port, reuse_port=self.settings.port != 0, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise Misconfigured(
                f"Port {self.settings.port} of {self.settings.host} can't be opened: {error.strerror or error}.",
                hint="Is another server using it? Choose one with --port or VELELLA_PORT.",
            ) from error
        self.port = self._runner.addresses[0][1]
        log.debug("listening", address=url_of(self.settings.host, self.port), routes=len(self.routes))

    async def drain(self) -> None:
        """Stop listening, and close each connection with its next answer: a client then connects to another front end, and no request is
        lost.

        A connection that stays idle for `DRAIN_SECONDS` is closed with the rest.
        """
        if self._runner is None or self._runner.server is None:
            return
        self._draining = True
        self._end_streams()
        for site in list(self._runner.sites):
            await site.stop()
        until = time.monotonic() + DRAIN_SECONDS
        while self._runner.server.connections and time.monotonic() < until:  # noqa: ASYNC110 - aiohttp has no event for it
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Stop listening, wait for running requests, close."""
        self._end_streams()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self.files.provider.close()

    def _end_streams(self) -> None:
        """End streams at once: they would never end by themselves."""
        for task in self._streaming:
            task.cancel()

    # -- a request
    async def _traced(self, http: web.BaseRequest) -> web.StreamResponse:
        match = self._tree.find(http.method, http.rel_url.raw_path)
        name = f"{http.method} {match.route.path}" if match is not None else http.method
        about = {"http_request_method": http.method, "http_route": match and match.route.path, "url_path": http.rel_url.raw_path}
        with tracing.span(name, "server", parent=http.headers.get("traceparent"), begins=True, **about) as span:
            response = await self._handle(http)
            if span is not None:
                tracing.answered(span, response.status)
                response.headers["traceparent"] = tracing.traceparent() or ""
            return response

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        started = time.monotonic()
        trace_id = _trace_id(http)
        call_context.set(CallContext(trace_id, started + self.settings.message_timeout))
        reply = await self._answer(http, trace_id)
        response = await self._response(http, reply, trace_id)
        if self._draining:
            response.force_close()
        seconds = time.monotonic() - started
        self._timings[reply.route, reply.status].observe(seconds)
        if self._logs_requests:
            logs.request(http.method, http.rel_url.raw_path, reply.status, round(seconds * 1000, 1), response.content_length or 0)
        if reply.stream is not None:
            await self._send(http, response, reply.stream)
        return response

    async def _answer(self, http: web.BaseRequest, trace_id: str) -> Reply:
        known = self._fast_path.answer(http)
        if known is not None:
            return known
        path = http.rel_url.raw_path
        match = self._tree.find(http.method, path)
        try:
            check_head(http)
            if path in self._beside:
                reply = await self._beside[path](http)
            elif path.startswith(STATIC):
                reply = static_file(self.files, http)
            elif is_dashboard(path):
                reply = dashboard_page(
                    self.settings.dashboard_dir, http, secure=is_secure(http, self.settings.public_url, self.settings.trusted_proxies)
                )
            else:
                reply = await self._within_bounds(http, path, match, trace_id)
        except Refused as refused:
            reply = refused.reply
        except VelellaError as error:
            _log(error)
            reply = error_reply(error)
        except TimeoutError:
            reply = error_reply(DeadlineExceeded("The request took too long."))
        except Exception:
            log.exception("request failed", method=http.method, path=path)
            reply = unknown_reply()
        reply.route = match.route if match is not None else None
        return reply

    async def _within_bounds(self, http: web.BaseRequest, path: str, match: Match | None, trace_id: str) -> Reply:
        entered = time.monotonic()
        stay = Stay(self.context.admission)
        try:
            stay.begin()
            seconds = self.settings.message_timeout
            if match is not None and match.route.streams:
                seconds = self.settings.upload_timeout
                call_context.set(CallContext(trace_id, entered + seconds))
            async with asyncio.timeout(seconds) as limit:
                return await self._serve(http, path, match, trace_id, stay, limit)
        finally:
            stay.end()

    async def _serve(
        self, http: web.BaseRequest, path: str, match: Match | None, trace_id: str, stay: Stay, limit: asyncio.Timeout
    ) -> Reply:
        if match is None:
            return await self._unserved(http, path, area_of(path))
        route = match.route
        area = area_of(route.path)
        params = {name: unquote(value) for name, value in match.params.items()} if "%" in path else match.params
        request = Request(self.context, self._credentials, self.files, route, http, params, trace_id)
        if area == "store":
            request.key = await self._credentials.publishable_key(http)
        request.actor = await self._credentials.actor(http, route.auth)
        if route.query is not None:
            self._understand(request, route, http.rel_url.raw_query_string, area)
        body: Any = {}
        if http.method in ("POST", "DELETE") and http.body_exists:
            if route.streams:
                return await self._streamed(request, route, stay)
            waits = not http.content.is_eof()
            if waits:
                stay.end()  # an upload in progress takes no place in the admission
                limit.reschedule(None)  # and has the time that it is given for its bytes
            body = await read_body(http, request, route.body_limit or self.settings.body_limit, raw=route.raw_body)
            stay.begin()
            if waits:
                seconds = self.settings.message_timeout
                limit.reschedule(asyncio.get_running_loop().time() + seconds)
                call_context.set(CallContext(trace_id, time.monotonic() + seconds))
        if route.body is not None:
            try:
                if isinstance(body, list):
                    request.body = {"several": [route.body.model_validate(each).given() for each in body]}
                else:
                    request.body = route.body.model_validate(body).given()
            except ValidationError as error:
                raise invalid_request(issues_of(error, body)) from None
        elif isinstance(body, dict):
            request.body = body
        if route.cached is not None and self.settings.cache:
            return await self._remembered(request, route.cached)
        answer = await route.handler(request)
        if isinstance(answer, Reply):
            if answer.stream is not None and len(self._streaming) >= STREAMS:
                raise Unavailable("Too many follow something here already.", hint="Try again when some have gone.")
            return answer
        return Reply(answer if isinstance(answer, bytes) else dumps(answer), route.status)

    async def _streamed(self, request: Request, route: Route, stay: Stay) -> Reply:
        """The answer to an upload that is read piece by piece. It takes as long as its client does, so it is outside of the admission."""
        if self._uploads >= UPLOADS:
            raise Busy("Too many files are being uploaded here.")
        stay.end()
        self._uploads += 1
        try:
            answer = await route.handler(request)
        finally:
            self._uploads -= 1
        return answer if isinstance(answer, Reply) else Reply(answer if isinstance(answer, bytes) else dumps(answer), route.status)

    async def _remembered(self, request: Request, cached: Cached) -> Reply:
        """The answer from the cache, if it is there and nothing it was made from has changed."""
        route, text = request.route, request.http.rel_url.raw_query_string

        fresh = False

        async def fill() -> Remembered:
            nonlocal fresh
            fresh = True
            answer = await route.handler(request)
            if isinstance(answer, Reply):
                raise TypeError(f"{route.method} {route.path} is cached: it answers with JSON and nothing else")
            body = answer if isinstance(answer, bytes) else dumps(answer)
            return Remembered(body, entity_tag(body), time.time())

        if not cached.remembers(request, text):
            made = await fill()
            return Reply(made.body, route.status, tag=made.tag)
        key: tuple[Any, ...] = (id(route), text, request.customer_id is None, request.locale)
        made_of = self._made_of.get(key)
        if made_of is None:
            made_of = (cached.tags(request, route.returns), cached.shown(request, route.returns))
            self._made_of.keep(key, made_of, 2 * TIMES * weight(text))
        tags, shown = made_of
        if tags is None or not (tags or shown):
            made = await fill()
            return Reply(made.body, route.status, tag=made.tag)
        key = (*key, request.http.rel_url.raw_path, request.sales_channel_ids, request.customer_id)
        rows = partial(_rows, shown) if shown is not None else ()
        fetch: Callable[[], Awaitable[Remembered]] = fill
        if self._shared is not None and request.key is not None and request.customer_id is None:
            fetch = self._shared.through((route.method, route.path, *key[1:]), tags, shown, fill)
        kept = await self._answers.get_or_fill(key, tags, fetch, rows=rows, size=len, made_at=lambda answer: answer.made_at)
        actor = request.actor
        if not fresh and (request.key is not None if actor is None else actor.type == "user"):
            # repeated once: it is likely to be repeated again
            await self._fast_path.keep(request.http, actor, route, key[:5])
        return Reply(kept.body, route.status, tag=kept.tag, kept=True)

    async def _unserved(self, http: web.BaseRequest, path: str, area: str) -> Reply:
        """No route has this path and method. A caller that isn't admitted isn't told whether the path exists."""
        if http.method == "OPTIONS" and self._tree.exists(path):
            headers = self._cors.preflight(area, http.headers)
            if headers is not None:
                reply = Reply(b"", 204)
                reply.headers.update(headers)
                return reply
        if area == "store":
            await self._credentials.publishable_key(http)
            await self._credentials.actor(http, CUSTOMER_OPTIONAL)
        elif area == "admin":
            await self._credentials.actor(http, USER)
        return missing_page(http.method, unquote(path))

    def _understand(self, request: Request, route: Route, text: str, area: str) -> None:
        """Check the query string, or reuse the result of an earlier check of the same text."""
        key = (id(route), text)
        known = self._understood.get(key)
        if known is None:
            store = area == "store"
            known = check_query(
                route,
                text,
                restricted=self._restricted if store else frozenset(),
                depth=RELATIONS_LIMIT if store else None,
                store=store,
                key=request.graph.catalogue.entity(route.returns.entity).key if route.returns is not None else "id",
            )
            if len(text) <= LONGEST_QUERY:
                self._understood.keep(key, known, 2 * TIMES * weight(text))
        request.fields, filters, request.page, locale, aside = known
        request.filters = own(filters)
        if area == "store" and self.settings.translation:
            request.locale = locale or locale_of(request.header(LOCALE_HEADER))
        if aside:
            request.additional_query = own(aside)

    async def _response(self, http: web.BaseRequest, reply: Reply, trace_id: str) -> web.StreamResponse:
        if reply.file is not None:
            return web.FileResponse(reply.file, headers={**reply.headers, **ALWAYS, "x-request-id": trace_id})
        body = reply.body if isinstance(reply.body, bytes) else reply.body.encode() if isinstance(reply.body, str) else dumps(reply.body)
        headers = reply.headers
        headers.update(ALWAYS)
        for name, value in self._cors.headers(area_of(http.rel_url.raw_path), http.headers.get("Origin")).items():
            headers.setdefault(name, value)
        headers["x-request-id"] = trace_id
        if http.method == "GET" and reply.status == 200 and area_of(http.rel_url.raw_path) == "store":
            tag = headers["ETag"] = reply.tag or entity_tag(body)
            headers.setdefault("Cache-Control", REVALIDATED)
            asked = http.headers.get("If-None-Match")
            if asked is not None and matches(asked, tag):
                reply.status, body = 304, b""
        if reply.stream is not None:
            return web.StreamResponse(headers={"Content-Type": reply.content_type, **headers})
        if reply.status not in (204, 304):
            headers.setdefault("Content-Type", f"{reply.content_type}; charset=utf-8")
        if len(body) >= COMPRESSED_FROM:
            coding = accepted_coding(http.headers.get("Accept-Encoding"))
            headers["Vary"] = f"{headers['Vary']}, Accept-Encoding" if "Vary" in headers else "Accept-Encoding"
            if coding is not None:
                body = self._compressed(body, coding, reply.tag if reply.kept else None)
                headers["Content-Encoding"] = coding
        response = web.Response(body=body, status=reply.status, headers=headers)
        if reply.close:
            response.force_close()
        return response

    async def _send(self, http: web.BaseRequest, response: web.StreamResponse, stream: AsyncIterator[bytes]) -> None:
        """Send piece by piece until the stream ends, the client disconnects, or this front end closes. An error ends it: the client
        reconnects."""
        sending = asyncio.current_task()
        assert sending is not None
        self._streaming.add(sending)
        response.force_close()
        try:
            await response.prepare(http)
            async for piece in stream:
                await response.write(piece)
            await response.write_eof()
        except ConnectionError:
            return  # the client has disconnected
        except VelellaError as error:
            _log(error)
        finally:
            self._streaming.discard(sending)

    def _compressed(self, body: bytes, coding: str, tag: str | None) -> bytes:
        """`tag`: of a cached answer. Its compressed form depends on nothing else, and is cached beside it."""
        if tag is None:
            return compressed(body, coding)
        known: bytes | None = self._answers.get((tag, coding))
        if known is None:
            known = compressed(body, coding)
            self._answers.keep((tag, coding), known)
        return known

    async def _health(self, http: web.BaseRequest) -> Reply:
        """This process lives and takes requests. Asks no other process."""
        return Reply(b"OK", 200, "text/plain")

    async def _ready(self, http: web.BaseRequest) -> Reply:
        """The shop can serve: every service has a replica whose database answers. 503 names the services that have none."""
        await self._readiness.check()
        return Reply(b"OK", 200, "text/plain")

    async def _description(self, http: web.BaseRequest) -> Reply:
        if self._openapi is None:
            from ..kit.openapi import describe  # slow to import, and rarely needed

            self._openapi = dumps(describe(self.routes, self.settings))
        return Reply(self._openapi)

    def _samples(self) -> Iterator[Sample]:
        for (route, status), timing in self._timings.items():
            method, path = (route.method, route.path) if route is not None else ("", "other")
            yield "velella_http_request_duration_seconds", (method, path, str(status)), timing.value


def _rows(shown: Dependencies, answer: Remembered) -> tuple[str, ...]:
    """The rows in an answer that has one thing in its envelope."""
    [row] = orjson.loads(answer.body).values()
    return tuple(dict.fromkeys(shown.rows(row)))


def _log(error: VelellaError) -> None:
    """Log an error: a client's mistake at debug, a temporary failure as a warning, a contradiction in our books as an error, with its
    traceback."""
    if error.status == 500:
        log.error("request failed", error=type(error).__name__, message=error.message, hint=error.hint, exc_info=error)
    elif error.status > 500:
        log.warning("request refused", error=type(error).__name__, message=error.message, hint=error.hint)
    else:
        log.debug("request refused", error=type(error).__name__, message=error.message)


def _trace_id(http: web.BaseRequest) -> str:
    given = http.headers.get("x-request-id")
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given
    parent = http.headers.get("traceparent")
    if parent is not None and (found := _TRACEPARENT.fullmatch(parent)):
        return found.group(1)
    return tracing.trace_id() or f"{random.getrandbits(128):032x}"


class _AiohttpLog:
    """aiohttp logs errors below our handler here: malformed requests at debug, failures as errors."""

    def debug(self, message: str, *args: Any, **_: Any) -> None:
        log.debug(message % args if args else message)

    warning = info = debug

    def error(self, message: str, *args: Any, exc_info: Any = None, **_: Any) -> None:
        log.error(message % args if args else message, exc_info=exc_info)

    exception = error
