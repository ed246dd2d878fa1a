"""Metrics in Prometheus's text format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.core import Metric as Family
from prometheus_client.exposition import choose_encoder

from ...actors.observe.scrape import Gathered
from ...core.metrics import BOUNDS, METRICS, Metric, Sample

_BOUNDS = (*(f"{bound:g}" for bound in BOUNDS), "+Inf")


def exposition(gathered: Gathered, shop: Iterable[Sample] = (), accept: str = "") -> tuple[bytes, str]:
    """The text of a scrape and its content type, negotiated by `accept`. `shop`: metrics that belong to no replica.

    Takes some tens of milliseconds for a large cluster.
    """
    encode, content_type = choose_encoder(accept)
    return encode(_Registry(gathered, shop)), content_type


class _Registry:
    """The registry that prometheus_client expects."""

    def __init__(self, gathered: Gathered, shop: Iterable[Sample]) -> None:
        self._gathered = gathered
        self._shop = shop

    def collect(self) -> Iterable[Family]:
        families: dict[str, Family] = {}
        for replica, samples in self._gathered.items():
            where = {"pool": replica.pool, "replica": str(replica.index)}
            for sample in (("velella_replica_up", (), float(bool(samples))), *samples):
                _add(families, sample, where)
        for sample in self._shop:
            _add(families, sample, {})
        return families.values()


def _add(families: dict[str, Family], sample: Sample, where: Mapping[str, str]) -> None:
    name, values, value = sample
    metric: Metric | None = METRICS.get(name)
    if metric is None:  # from a replica of another version
        return
    family = families.get(name)
    if family is None:
        family = families[name] = Family(name.removesuffix("_total") if metric.kind == "counter" else name, metric.help, metric.kind)
    labels: dict[str, Any] = {**where, **dict(zip(metric.labels, values, strict=True))}
    if not isinstance(value, list):
        family.add_sample(name, labels, value)
        return
    *counts, total = value
    below = 0.0
    for bound, count in zip(_BOUNDS, counts, strict=True):
        below += count
        family.add_sample(f"{name}_bucket", {**labels, "le": bound}, below)
    family.add_sample(f"{name}_count", labels, below)
    family.add_sample(f"{name}_sum", labels, total)
