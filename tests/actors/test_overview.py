"""What `velella top` makes of two looks at a cluster."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from velella.cli.overview import Snapshot, overview
from velella.cli.top import picture
from velella.core.metrics import Histogram


def timed(*seconds: float) -> list[float]:
    histogram = Histogram()
    for one in seconds:
        histogram.observe(one)
    return histogram.value


def status(*pools: tuple[str, list[str], int]) -> dict[str, Any]:
    return {
        "topology": "toys",
        "url": "http://127.0.0.1:9000",
        "up_seconds": 93_784.0,
        "pools": [
            {
                "name": name,
                "services": services,
                "replicas": [{"index": index, "state": "ready", "restarts": index} for index in range(replicas)],
            }
            for name, services, replicas in pools
        ],
    }


DOORS, CARTS = ("doors", ["http"], 2), ("cart", ["cart"], 1)
GET, COMPLETE = ("GET", "/store/products", "200"), ("POST", "/store/carts/{id}/complete", "503")


def look(at: float, **figures: dict[str, dict[tuple[str, ...], Any]]) -> Snapshot:
    return Snapshot(status(DOORS, CARTS), {name.replace("_", "-"): given for name, given in figures.items()}, at)


def door(started: float, **requests: Any) -> dict[str, dict[tuple[str, ...], Any]]:
    named = {"ok": GET, "failed": COMPLETE}
    return {
        "velella_http_request_duration_seconds": {named[name]: value for name, value in requests.items()},
        "process_start_time_seconds": {(): started},
        "process_cpu_seconds_total": {(): 1.0 if not requests else 2.0},
        "process_resident_memory_bytes": {(): 2.0**27},
        "velella_cache_lookups_total": {("answers", "hit"): 9.0 * len(requests), ("answers", "miss"): 1.0 * len(requests)},
    }


def test_rates_and_latencies_are_of_what_came_between() -> None:
    old, new = timed(*[5.0] * 50), timed(*[5.0] * 50, *[0.003] * 100)
    seen = overview(look(10.0, doors_0=door(1, ok=old)), look(14.0, doors_0=door(1, ok=new)))
    assert seen["requests"]["per_second"] == 25
    assert 2.5 <= seen["requests"]["p50_ms"] <= seen["requests"]["p95_ms"] <= 5, "the slow ones are from before"
    (route,) = seen["routes"]
    assert (route["method"], route["route"], route["per_second"]) == ("GET", "/store/products", 25)


def test_a_replica_that_was_started_again_began_at_nothing() -> None:
    before, after = timed(*[0.003] * 1000), timed(*[0.003] * 8)
    seen = overview(look(10.0, doors_0=door(1, ok=before)), look(14.0, doors_0=door(12, ok=after)))
    assert seen["requests"]["per_second"] == 2


def test_errors_are_those_of_the_server() -> None:
    seen = overview(look(0.0, doors_0=door(1)), look(2.0, doors_0=door(1, ok=timed(0.1), failed=timed(0.1, 0.2))))
    assert (seen["requests"]["per_second"], seen["requests"]["errors_per_second"]) == (1.5, 1)


def test_hit_rate_cpu_and_memory() -> None:
    seen = overview(look(0.0, doors_0=door(1), doors_1=door(1)), look(2.0, doors_0=door(1, ok=timed(0.1)), doors_1=door(1)))
    assert seen["hit_rate"] == 0.9
    doors, carts = seen["pools"]
    assert (doors["replicas"], doors["restarts"], doors["cpu_percent"], doors["memory_bytes"]) == (2, 1, 50, 2 * 2**27)
    assert (carts["memory_bytes"], carts["work"]["p50_ms"]) == (0, None), "it did not answer"


def test_nothing_to_tell_is_told() -> None:
    seen = overview(look(0.0), look(1.0))
    assert (seen["requests"]["p95_ms"], seen["hit_rate"]) == (None, None)


def test_the_picture_fits_its_terminal() -> None:
    many = [(f"pool-{number}", [f"service_{number}"], 1) for number in range(40)]
    before, after = Snapshot(status(DOORS, *many), {}, 0.0), Snapshot(status(DOORS, *many), {"doors-0": door(1, ok=timed(0.1))}, 1.0)
    terminal = Console(width=120, height=30, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    terminal.print(picture(overview(before, after), terminal))
    lines = terminal.export_text().splitlines()
    assert len(lines) <= 30
    assert any("GET    /store/products" in line for line in lines)
    assert "up 26 h" not in lines[0]
    assert "up 1 d 2 h" in lines[0]
