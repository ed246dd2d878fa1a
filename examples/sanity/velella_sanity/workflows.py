"""What is done when a product changes here, or its document at Sanity."""

from __future__ import annotations

from contextlib import AsyncExitStack

from velella.core.errors import Unavailable
from velella.core.rows import Row
from velella.workflows.built_in import update_products
from velella.workflows.kit import Event, Flow, Retry, job, step, subscriber, workflow

from . import plugin
from .merging import COLUMNS, merged
from .module import SanityService

UNTIL_UP = Retry(interval=2, most=300, during=7 * 86_400)
ATTEMPTS = 5
AT_ONCE = 50
"""Products of one execution of `sync-sanity`."""


@step(retry=UNTIL_UP)
async def update_documents(flow: Flow, ids: list[str], mine: list[Row]) -> list[Row]:
    """Bring documents up to date. Returns what is to change of the products, of which `mine` was just changed.

    Nothing that is written is old: a product is read after its document, which is changed only at the revision that was read. So events may
    come late, twice or in another order.
    """
    sanity, type = flow.modules.of(SanityService), plugin.options(flow.settings).document_type
    own = {edit["id"]: edit for edit in mine}
    for _ in range(ATTEMPTS):
        documents = await sanity.read_documents(ids)
        products: list[Row] = await flow.modules.product.list("product", {"id": ids}, fields=COLUMNS, with_deleted=True)
        both = [merged(each, documents.get(each["id"]), type, own.get(each["id"])) for each in products]
        mutations = [mutation for mutation, _ in both if mutation is not None]
        if not mutations or await sanity.change_documents(mutations):
            return [edit for _, edit in both if edit is not None]
    raise Unavailable(f"Documents at Sanity are changed all the time: {', '.join(ids)}")


@workflow("agree-with-sanity", durable=True)
async def agree(flow: Flow, ids: list[str]) -> None:
    """Have products and their documents say the same. Products take turns: of two edits the later one has to arrive last. While Sanity is
    down it is waited for, for a week."""
    async with AsyncExitStack() as locks:
        for id in sorted(ids):
            await locks.enter_async_context(flow.lock(f"sanity:{id}"))
        edits: list[Row] = []
        while edits := await flow.run(update_documents, ids, edits):
            await flow.run(update_products, products=edits)


@subscriber("product.product.created", "product.product.updated", "product.product.deleted", "product.product.restored")
async def sync_changed(flow: Flow, event: Event) -> None:
    """Whatever has changed it: merchants, scripts, imports, or what came from Sanity."""
    await flow.start(agree, ids=[event.data["id"]])


@job("30 3 * * *", timeout=4 * 3600)
async def sync_sanity(flow: Flow) -> None:
    """All products, every night: webhooks get lost. `velella jobs run sync-sanity` does it now, as when the plugin is new."""
    after = ""
    while True:
        products = await flow.modules.product.list("product", {"id": {"$gt": after}}, fields=("id",), order=("id",), limit=AT_ONCE)
        ids = [product["id"] for product in products]
        if not ids:
            return
        await flow.call(agree, retry=UNTIL_UP, ids=ids)
        after = ids[-1]
