"""A checkout is one trace, through every layer and every process, at a collector that speaks OTLP over HTTP."""

from __future__ import annotations

import asyncio
import gzip
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

from velella.core.ids import ulid

from .buyer import Buyer
from .conftest import COUNTRIES
from .pools import pools_file
from .served import Api, served
from .shop import open_shop, sell

POOLS = {
    "doors": ["http"],
    "engine": ["workflows", "locking", "caching"],
    "checkout": ["cart", "order", "payment", "tax", "pricing", "product"],
    "stock": ["inventory", "stock_location", "fulfillment", "sales_channel", "link"],
}
"""A checkout crosses between all of them."""


@dataclass(frozen=True)
class Seen:
    """A span as it came in."""

    id: str
    parent: str
    name: str
    process: str
    statement: str


@dataclass
class Collector:
    url: str = ""
    spans: dict[str, list[Seen]] = field(default_factory=dict)
    """By trace."""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        sent = ExportTraceServiceRequest.FromString(gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body)
        for resource in sent.resource_spans:
            about = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    attributes = {attribute.key: attribute.value.string_value for attribute in span.attributes}
                    seen = Seen(
                        span.span_id.hex(), span.parent_span_id.hex(), span.name,
                        about["service.instance.id"], attributes.get("db.query.text", ""),
                    )  # fmt: skip
                    self.spans.setdefault(span.trace_id.hex(), []).append(seen)
        return web.Response(body=ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf")


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        await runner.cleanup()


async def test_a_checkout_is_one_trace(migrated_database: str, tmp_path: Path) -> None:
    topology = pools_file(tmp_path, POOLS)
    trace, above = secrets.token_hex(16), secrets.token_hex(8)
    async with collecting() as collector:
        environment = {"VELELLA_TRACES": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "300"}
        async with served(tmp_path, topology, "--empty", database_url=migrated_database, environment=environment) as running:
            admin = await running.admin()
            shop = await open_shop(admin, COUNTRIES)
            product = await sell(admin, shop, f"seen-{ulid().lower()}", {"eur": 10})
            store = await running.store(shop.key)
            cart = await Buyer(store, shop).ready(product["variants"][0]["id"])
            traced = Api(store.session, store.base, {**store.headers, "traceparent": f"00-{trace}-{above}-01"})
            status, answer = await Buyer(traced, shop).complete(cart)
            assert (status, answer["type"]) == (200, "order")
            await asyncio.sleep(0.2)  # and what is left is sent when it stops
        spans = collector.spans[trace]
    by_id = {span.id: span for span in spans}
    (door,) = [span for span in spans if span.parent == above]
    assert door.name == "POST /store/carts/{id}/complete"
    loose = [span for span in spans if span is not door and span.parent not in by_id]
    assert not loose, "every span hangs on another"

    def path(span: Seen) -> list[str]:
        return [*path(by_id[span.parent]), span.name] if span is not door else [span.name]

    assert {span.process for span in spans} >= {"doors-0", "engine-0", "checkout-0", "stock-0"}
    reserved = [span for span in spans if "reservation" in span.statement and span.process == "stock-0"]
    assert reserved, "the statements of a module in another process belong to it"
    way = path(reserved[0])
    layers = ("POST /store/carts/{id}/complete", "workflows.run_once", "workflow complete-cart", "step ", "inventory.")
    at = 0
    for layer in layers:
        at = next((index + 1 for index, name in enumerate(way) if index >= at and name.startswith(layer)), 0)
        assert at, f"{layer} is not on the way {way}"
