"""One scrape shows the whole cluster, whichever door answers it."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from velella.core.ids import ulid

from .buyer import Buyer
from .served import Served
from .shop import Shop, sell

Scrape = list[tuple[str, dict[str, str], float]]


async def scrape(colony: Served) -> Scrape:
    token = (colony.data_dir / "secrets" / "metrics_token").read_text()
    async with colony.session.get(colony.base + "/metrics", headers={"Authorization": f"Bearer {token}"}) as response:
        text = await response.text()
        assert response.status == 200, text
    return [(sample.name, sample.labels, sample.value) for family in text_string_to_metric_families(text) for sample in family.samples]


def total(figures: Scrape, name: str, **labels: str) -> float:
    return sum(value for found, given, value in figures if found == name and labels.items() <= given.items())


async def test_a_purchase_is_seen_in_every_layer(colony: Served, shop: Shop) -> None:
    product = await sell(await colony.admin(), shop, f"seen-{ulid().lower()}", {"eur": 10})
    before = await scrape(colony)
    buyer = Buyer(await colony.store(shop.key), shop)
    status, answer = await buyer.complete(await buyer.ready(product["variants"][0]["id"]))
    assert (status, answer["type"]) == (200, "order")
    after = await scrape(colony)

    def more(name: str, **labels: str) -> float:
        return total(after, name, **labels) - total(before, name, **labels)

    assert more("velella_http_request_duration_seconds_count", method="POST", route="/store/carts/{id}/complete", status="200") == 1
    assert more("velella_workflow_duration_seconds_count", workflow="complete-cart", outcome="done") == 1
    for service in ("cart", "order", "inventory", "payment"):
        assert more("velella_message_duration_seconds_count", service=service) > 0, service
    assert more("velella_sql_statement_duration_seconds_count") > 5
    assert more("velella_locks_total", outcome="granted") > 0
    if colony.topology == "pooled":
        assert more("velella_admission_wait_seconds_count", pool="cart") > 0


async def test_it_shows_every_replica(colony: Served) -> None:
    status = await colony.status()
    there = {(pool["name"], str(replica["index"])) for pool in status["pools"] for replica in pool["replicas"]}
    for _ in range(3):  # different doors may answer
        figures = await scrape(colony)
        up = {(labels["pool"], labels["replica"]) for name, labels, value in figures if name == "velella_replica_up" and value == 1}
        assert up == there
        memory = [value for name, _, value in figures if name == "process_resident_memory_bytes"]
        assert len(memory) == len(there)
        assert all(value > 1e6 for value in memory)
    assert {labels["state"] for name, labels, _ in figures if name == "velella_workflow_executions"} == {
        "invoking", "finishing", "compensating", "failed",
    }  # fmt: skip


async def test_all_that_dashboard_and_alerts_ask_for_is_there(colony: Served, shop: Shop) -> None:
    product = await sell(await colony.admin(), shop, f"shown-{ulid().lower()}", {"eur": 10})
    store = await colony.store(shop.key)
    buyer = Buyer(store, shop)
    await buyer.complete(await buyer.ready(product["variants"][0]["id"]))
    status, _ = await store.raw("POST", "/store/carts/cart_nowhere/line-items", {"variant_id": "variant_nowhere", "quantity": 1})
    assert status == 404
    there = {name for name, _, _ in await scrape(colony)}
    deploy = Path(__file__).parents[2] / "deploy"
    for file in ("grafana/velella.json", "prometheus/alerts.yml"):
        asked = set(re.findall(r"\b(?:velella|process)_\w+", (deploy / file).read_text()))
        assert len(asked) > 5
        assert {name for name in asked if not name.startswith("velella_provider_")} <= there, file  # this shop has no third parties


MESSAGES = {"packed": 54, "pooled": 56}
"""Messages between services that a purchase of two lines may take, where what hardly ever changes is known; within one process they are
plain awaits. Packed, 6 of them are those of its locks, where another process happens to hold all of them. These figures only fall."""


async def test_a_purchase_keeps_to_its_messages(colony: Served, shop: Shop) -> None:
    admin = await colony.admin()
    variants = [(await sell(admin, shop, f"asked-{n}-{ulid().lower()}", {"eur": 10}))["variants"][0]["id"] for n in range(2)]
    buyer, least = Buyer(await colony.store(shop.key), shop), dict[str, float]()
    for attempt in range(6):  # until every door knows what it asks for; what the shop does by the clock comes between
        before = _messages(await scrape(colony))
        status, _ = await buyer.complete(await buyer.ready(*variants))
        assert status == 200
        after = _messages(await scrape(colony))
        spent = {name: count - before.get(name, 0) for name, count in after.items()}
        least = {name: min(spent.get(name, 0), least.get(name, 0) if attempt else spent[name]) for name in spent}
    assert least["cart.complete"] == 1
    assert sum(least.values()) <= MESSAGES[colony.topology], least


def _messages(figures: Scrape) -> dict[str, float]:
    """Messages so far by service and method, without those of the scrape itself."""
    counts: dict[str, float] = {}
    for name, labels, value in figures:
        message = f"{labels.get('service')}.{labels.get('method')}"
        if name == "velella_message_duration_seconds_count" and not message.startswith("host.") and message != "workflows.backlog":
            counts[message] = counts.get(message, 0) + value
    return counts
