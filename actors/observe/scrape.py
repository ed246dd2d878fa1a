"""The metrics of a whole cluster, from every process."""

from __future__ import annotations

from ...core.errors import VelellaError
from ...core.logs import logger
from ...core.metrics import Sample
from ..membership.directory import HOST, ReplicaId
from ..messaging.router import Router

log = logger("velella.metrics")

SCRAPE_SECONDS = 2.0
"""Seconds a replica may take to return its metrics; a slower one is shown as down."""


Gathered = dict[ReplicaId, list[Sample]]
"""The metrics of each replica; empty for one that did not answer."""


async def gather(router: Router) -> Gathered:
    """Ask every replica for its metrics, all at once."""
    answers = await router.broadcast(HOST, "metrics", seconds=SCRAPE_SECONDS)
    found: Gathered = {}
    for replica, answer in answers.items():
        if isinstance(answer, VelellaError):
            log.warning("a replica did not return its metrics", replica=str(replica), error=str(answer))
            found[replica] = []
        else:
            found[replica] = [(name, tuple(labels), value) for name, labels, value in answer]
    return found
