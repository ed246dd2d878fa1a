"""The figures of a whole cluster: asked of every process."""

from __future__ import annotations

from ...core.errors import VelellaError
from ...core.logs import logger
from ...core.metrics import Sample
from ..membership.directory import HOST, ReplicaId
from ..messaging.router import Router

log = logger("velella.metrics")

SCRAPE_SECONDS = 2.0
"""How long a replica may take to tell its figures; one that doesn't is shown as down."""


Gathered = dict[ReplicaId, list[Sample]]
"""The figures of each replica; none of one that did not answer."""


async def gather(router: Router) -> Gathered:
    """Ask every replica for its figures, all at once."""
    answers = await router.broadcast(HOST, "metrics", seconds=SCRAPE_SECONDS)
    found: Gathered = {}
    for replica, answer in answers.items():
        if isinstance(answer, VelellaError):
            log.warning("a replica did not tell its figures", replica=str(replica), error=str(answer))
            found[replica] = []
        else:
            found[replica] = [(name, tuple(labels), value) for name, labels, value in answer]
    return found
