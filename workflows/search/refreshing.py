"""Keeping indexes up to date: events of modules mark what has changed, and what is marked is indexed again, many at once.

Whatever changes a product, a workflow or a script, its module says so in the transaction of the change. Marks are worked off in the
order in which they were made, each by who has read the product after it was marked.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Final

from ...core.errors import Conflict
from ...core.graph.graph import Graph
from ...core.rows import Row
from ...modules.search.service import Standing
from ..kit import Event, Flow, step, subscriber, workflow
from .documents import SOURCES, read_documents
from .hearing import CHANGED, ID, OF_VARIANTS, PAIRS, PRICES, PRODUCTS, RESTORED, VARIANTS, heard, searched
from .reindexing import reindex_search_indexes

INDEX: Final = "product"
EVERY: Final = 1.0
"""Seconds between two looks for marks."""
AT_ONCE: Final = 200
"""Products that are read together."""
PATIENCE: Final = 0.5
"""Seconds for which a run waits for one that may be just over."""


@step(name="mark-changed")
async def mark(flow: Flow, products: list[str], parts: list[str]) -> None:
    await flow.modules.search.mark(products, parts)


@subscriber(*PRODUCTS, when=searched)
async def product_changed(flow: Flow, event: Event) -> None:
    await flow.run(mark, [event.data["id"]], [])


@subscriber(*PAIRS, when=searched)
async def product_paired(flow: Flow, event: Event) -> None:
    await flow.run(mark, [event.data["product_id"]], [])


@subscriber(*VARIANTS, when=searched)
async def variant_changed(flow: Flow, event: Event) -> None:
    await _mark_variant(flow, event.data["id"])


@subscriber(*OF_VARIANTS, when=searched)
async def variant_paired(flow: Flow, event: Event) -> None:
    await _mark_variant(flow, event.data["variant_id"])


async def _mark_variant(flow: Flow, id: str) -> None:
    """A variant's product may not know of it yet, or any more."""
    rows = await flow.modules.product.list("product_variant", {"id": id}, fields=("product_id",), with_deleted=True)
    await flow.run(mark, [row["product_id"] for row in rows if row["product_id"]], [id])


@subscriber(*PRICES, when=searched)
async def price_changed(flow: Flow, event: Event) -> None:
    rows = await flow.modules.pricing.list("price", {"id": event.data["id"]}, fields=("price_set_id",), with_deleted=True)
    await flow.run(mark, [], [row["price_set_id"] for row in rows])


@subscriber(*CHANGED, when=searched)
async def part_changed(flow: Flow, event: Event) -> None:
    await flow.run(mark, [], [event.data["id"]])


@subscriber(*RESTORED, when=searched)
async def part_restored(flow: Flow, event: Event) -> None:
    filters = _filled(RESTORED[event.name], event.data["id"])
    await flow.run(mark, await Graph(flow.modules, flow.graph.catalogue).keys("product", "id", filters), [])


def _filled(filters: Row, id: str) -> Row:
    return {name: id if value is ID else _filled(value, id) for name, value in filters.items()}


@step(name="withdraw-indexes")
async def withdraw(flow: Flow, indexes: list[str]) -> None:
    await flow.modules.search.withdraw(indexes)


@step(name="sweep-indexes")
async def sweep(flow: Flow, versions: list[str]) -> None:
    await flow.modules.search.sweep(versions)


@workflow("refresh-search-indexes", every=EVERY)
async def refresh_search_indexes(flow: Flow) -> int:
    """Index what is marked, as far as it goes at once. Returns how many marks were worked off.

    Coordinators take turns, so that nothing is read by all of them; may run beside itself: who has read later wins. An index that was
    never built, or by another definition, is begun to be built. While the setting is off changes go unheard: what was built before is
    dropped, so that nobody finds in it later what was taken from sale meanwhile.
    """
    standing = await flow.modules.search.standing()
    if not searched(flow.settings) and (kept := [each["name"] for each in standing if each["live"] or each["elsewhere"]]):
        await flow.run(withdraw, kept)
        return 0
    done = await _refresh(flow, standing) if searched(flow.settings) else None
    if done is None and (leftover := [version for each in standing for version in each["leftover"]]):
        await flow.run(sweep, leftover)  # where nothing waits: what can't be deleted holds up nothing
    return done or 0


async def _refresh(flow: Flow, standing: list[Standing]) -> int | None:
    """Begin to build what isn't current, and work off marks. None where there are none."""
    for each in standing:
        if not each["current"] and await heard(flow):
            job = f"{each['name']}:{each['made'] + 1}"
            await flow.start(reindex_search_indexes, job_id=job, index=[each["name"]])
    if await flow.modules.search.waiting(1) is None:
        return None
    async with AsyncExitStack() as held:
        try:
            await held.enter_async_context(flow.lock("search:refresh", wait=PATIENCE))
        except Conflict:
            return 0
        waiting = await flow.modules.search.waiting(AT_ONCE)
        if waiting is None:
            return 0
        documents = await read_documents(flow, SOURCES[INDEX], {"id": waiting["documents"]}) if waiting["documents"] else []
        await flow.modules.search.refresh(INDEX, waiting, documents)
        return len(waiting["positions"])
