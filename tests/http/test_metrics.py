"""`/metrics` of one process: what it counts, what it calls it, and whom it tells."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from velella.core.metrics import BOUNDS, METRICS, Histogram, quantile
from velella.http.server.exposition import exposition

from .conftest import Client, Shop, served
from .test_cached import person
from .test_lane import asked_often

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
async def prometheus(client: Client, shop: Shop) -> Client:
    """Who may read them: it brings the token."""
    return client.with_(authorization=f"Bearer {shop.front.settings.metrics_token}")


async def scraped(prometheus: Client) -> Figures:
    answer = await prometheus("GET", "/metrics")
    assert answer.status == 200, answer.text
    return parsed(answer.text)


def parsed(text: str) -> Figures:
    figures: Figures = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            figures[sample.name, frozenset(sample.labels.items())] += sample.value  # tests open several front ends in one host
    return figures


def summed(figures: Figures, name: str, **labels: str) -> float:
    """All samples of a name that have these labels."""
    return sum(value for (found, given), value in figures.items() if found == name and labels.items() <= dict(given).items())


REQUESTS = "velella_http_request_duration_seconds_count"


async def test_every_request_is_counted_under_its_route(
    store: Client, admin: Client, client: Client, prometheus: Client, shop: Shop
) -> None:
    path = f"/store/folk/{(await person(shop))['id']}"
    before = await scraped(prometheus)
    await store("GET", path)
    await store("GET", "/store/folk/user_that_is_not_there")
    await client("GET", path)  # without a key
    await client("GET", "/test/broken")
    await admin("GET", "/test/broken")
    for nowhere in ("/nowhere/1", "/nowhere/2"):
        await client("GET", nowhere)
    after = await scraped(prometheus)

    def more(**labels: str) -> float:
        return summed(after, REQUESTS, **labels) - summed(before, REQUESTS, **labels)

    assert more(route="/store/folk/{id}", method="GET", status="200") == 1
    assert more(route="/store/folk/{id}", status="404") == 1
    assert more(route="/store/folk/{id}", status="400") == 1
    assert more(route="/test/broken", status="500") == 2
    assert more(route="other", status="404") == 2, "paths that nobody serves must not become series of their own"


async def test_answers_of_the_short_way_are_counted_like_all(store: Client, prometheus: Client, shop: Shop) -> None:
    path = f"/store/folk/{(await person(shop))['id']}"
    await asked_often(store, shop, path)
    before = await scraped(prometheus)
    for _ in range(7):
        await store("GET", path)
    after = await scraped(prometheus)
    assert summed(after, REQUESTS, route="/store/folk/{id}") == summed(before, REQUESTS, route="/store/folk/{id}") + 7
    hits = {"cache": "answers", "result": "hit"}
    assert summed(after, "velella_cache_lookups_total", **hits) == summed(before, "velella_cache_lookups_total", **hits) + 7


async def test_messages_statements_and_errors_are_counted(client: Client, prometheus: Client, shop: Shop) -> None:
    before = await scraped(prometheus)
    one = await person(shop)
    await shop.host.modules.user.update("user", [{"id": one["id"], "first_name": "Ada"}])
    answer = await client("GET", "/store/folk")  # no key: no message either
    assert answer.status == 400
    after = await scraped(prometheus)
    create = {"service": "user", "method": "create"}
    assert summed(after, "velella_message_duration_seconds_count", **create) == (
        summed(before, "velella_message_duration_seconds_count", **create) + 1
    )
    statements = "velella_sql_statement_duration_seconds_count"
    assert summed(after, statements) >= summed(before, statements) + 2
    assert summed(after, "velella_sql_connections", state="in_use") >= 0
    assert summed(after, "velella_replica_up") == 1


async def test_histograms_tell_how_long_things_took(prometheus: Client) -> None:
    await prometheus.with_(x_seconds="0.3")("GET", "/test/slow")
    figures = await scraped(prometheus)
    slow = {
        dict(labels)["le"]: value
        for (name, labels), value in figures.items()
        if name == "velella_http_request_duration_seconds_bucket" and ("route", "/test/slow") in labels and ("status", "200") in labels
    }
    assert slow["0.25"] == 0
    assert slow["0.5"] == slow["+Inf"] >= 1


async def test_a_scrape_is_well_formed_and_described(prometheus: Client) -> None:
    answer = await prometheus("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    text = answer.text
    for name in {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}:
        assert name in METRICS, name
        assert f"# HELP {name} {METRICS[name].help}" in text
    openmetrics = await prometheus("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert openmetrics.text.rstrip().endswith("# EOF")


def test_the_table_keeps_to_the_rules_of_names() -> None:
    for metric in METRICS.values():
        assert (metric.kind == "counter") == metric.name.endswith("_total"), metric.name
        assert metric.help.endswith("."), metric.name
        assert not {"pool", "replica", "le"} & set(metric.labels), metric.name


def test_figures_of_another_version_are_left_out() -> None:
    text, _ = exposition({}, [("velella_of_tomorrow", (), 1), ("velella_events_waiting", (), 3)])
    assert parsed(text.decode()) == {("velella_events_waiting", frozenset()): 3}


def test_quantiles_are_estimated_within_their_bucket() -> None:
    times = Histogram()
    assert quantile(0.5, times.counts) is None
    for _ in range(100):
        times.observe(0.003)
    assert 0.0025 < (quantile(0.5, times.counts) or 0) < 0.005
    for _ in range(10):
        times.observe(99)
    assert quantile(1.0, times.counts) == BOUNDS[-1], "nothing is known beyond the last bound"


# -- who is told


async def test_who_brings_the_token_may_read_them_and_nobody_else(shop: Shop) -> None:
    """Not this machine either: a proxy comes from there, too, with the whole world behind it."""
    token = shop.front.settings.metrics_token
    assert token
    async with aiohttp.ClientSession() as session:
        client = Client(session, shop.base)
        for given in (None, "Bearer wrong", f"Basic {token}", "Bearer ", f"Bearer {token}x", "Bearer \u00fc"):
            for headers in ({}, {"X-Forwarded-For": "127.0.0.1"}, {"Host": "localhost"}):
                asked = {**headers, "Authorization": given} if given is not None else headers
                assert (await client("GET", "/metrics", headers=asked)).status == 401
        assert (await client("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})).status == 200


async def test_they_may_be_open_or_off(migrated_database: str, tmp_path: Path) -> None:
    for metrics, token, status in (("open", None, 200), ("private", "s3cret", 401), ("off", None, 404)):
        async with served(migrated_database, tmp_path, metrics=metrics, metrics_token=token) as shop, aiohttp.ClientSession() as session:
            client = Client(session, shop.base)
            assert (await client("GET", "/metrics")).status == status
            if token is not None:
                assert (await client("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})).status == 200
