"""Traces of one process: what a request leaves behind, and what it says to others."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import aiohttp
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.core import tracing

from ..conftest import clone
from .conftest import Client, Shop, served


class Traced:
    """A shop whose spans are kept."""

    def __init__(self, shop: Shop, client: Client, exporter: InMemorySpanExporter) -> None:
        self.shop, self.client, self._exporter = shop, client, exporter

    def spans(self, trace: str) -> list[ReadableSpan]:
        return [span for span in self._exporter.get_finished_spans() if f"{span.context.trace_id:032x}" == trace]


@pytest.fixture(scope="module")
async def traced(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> AsyncIterator[Traced]:
    """Beside `shop`, which was started before and isn't traced."""
    exporter = InMemorySpanExporter()
    tracing.start("", 1.0, "test-0", exporter)
    try:
        async with served(await clone(postgres, migrated), tmp_path_factory.mktemp("traced")) as seen, aiohttp.ClientSession() as session:
            yield Traced(seen, Client(session, seen.base), exporter)
    finally:
        tracing.stop()


def a_parent(sampled: bool = True) -> tuple[str, str, str]:
    """A trace, a span of somebody else's, and the header that tells of them."""
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    return trace, span, f"00-{trace}-{span}-{'01' if sampled else '00'}"


async def test_a_trace_goes_on_through_door_messages_and_statements(traced: Traced) -> None:
    trace, above, header = a_parent()
    body = {"email": "ada@example.com", "password": "correct horse"}
    answer = await traced.client("POST", "/auth/user/emailpass/register", body, headers={"traceparent": header})
    assert answer.status == 200, answer.text
    spans = traced.spans(trace)
    (door,) = [span for span in spans if span.name == "POST /auth/{actor_type}/{auth_provider}/register"]
    assert door.parent is not None
    assert f"{door.parent.span_id:016x}" == above
    assert door.attributes is not None
    assert door.attributes["http.response.status_code"] == 200
    assert answer.headers["traceparent"] == f"00-{trace}-{door.context.span_id:016x}-01"
    assert answer.headers["x-request-id"] == trace
    names = {span.name for span in spans}
    assert "auth.register" in names
    statements = [span for span in spans if span.attributes and "db.query.text" in span.attributes]
    assert any(span.name.startswith("INSERT auth") for span in statements), names
    there = {span.context.span_id for span in spans}
    assert all(span is door or (span.parent and span.parent.span_id in there) for span in spans), "a span hangs in the air"


async def test_logs_and_trace_have_one_id(traced: Traced) -> None:
    answer = await traced.client("GET", "/health")
    assert traced.spans(answer.headers["x-request-id"])
    answer = await traced.client("GET", "/health", headers={"x-request-id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1", "whoever names a request goes on calling it so"
    assert answer.headers["traceparent"]


async def test_what_the_sender_does_not_record_is_not_recorded(traced: Traced) -> None:
    trace, _, header = a_parent(sampled=False)
    answer = await traced.client("GET", "/store/folk", headers={"traceparent": header})
    assert traced.spans(trace) == []
    assert answer.headers["traceparent"].split("-")[1::2] == [trace, "00"], "those behind us shall not record it either"


async def test_errors_of_the_asker_and_ours_are_told_apart(traced: Traced) -> None:
    for path, status, code in (("/store/folk", 400, StatusCode.UNSET), ("/test/broken", 500, StatusCode.ERROR)):
        trace, _, header = a_parent()
        token = await traced.shop.token("user", "user_1")
        answer = await traced.client("GET", path, headers={"traceparent": header, "authorization": f"Bearer {token}"})
        assert answer.status == status
        (door,) = [span for span in traced.spans(trace) if span.name == f"GET {path}"]
        assert door.status.status_code == code


async def test_nothing_is_traced_unless_it_is_wanted(client: Client) -> None:
    answer = await client("GET", "/health", headers={"traceparent": a_parent()[2]})
    assert "traceparent" not in answer.headers


async def test_nonsense_for_a_parent_begins_a_new_trace(traced: Traced) -> None:
    for header in ("", "00-zz-1-01", f"00-{'0' * 32}-{'0' * 16}-01", "x" * 5_000):
        answer = await traced.client("GET", "/health", headers={"traceparent": header})
        assert answer.status == 200
        assert traced.spans(answer.headers["traceparent"].split("-")[1])


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ('SELECT a FROM "cart" WHERE b', "SELECT cart"),
        ("\n  INSERT INTO event_outbox (id) VALUES ($1)", "INSERT event_outbox"),
        ("UPDATE payment SET a = 1", "UPDATE payment"),
        ("WITH x AS (SELECT 1 FROM t) SELECT 2", "SELECT t"),
        ("WITH x AS (SELECT 1 FROM t FOR UPDATE) DELETE FROM u", "DELETE u"),
        ("SELECT nextval(1)", "SQL"),
        ("", "SQL"),
    ],
)
def test_statements_have_short_names(sql: str, name: str) -> None:
    assert tracing.statement_name(sql) == name


def test_a_taken_over_execution_finds_its_trace() -> None:
    trace = secrets.token_hex(16)
    assert (tracing.beginning_of(trace) or "").startswith(f"00-{trace}-")
    for other in ("mine-1", "0" * 32, "01J9ZZZZZZZZZZZZZZZZZZZZZZ"):
        assert tracing.beginning_of(other) is None
