"""Regions with their payment providers, and whether their prices include tax."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.errors import InvalidData, NotFound
from ...core.rows import Row
from ..kit import Flow, workflow
from ..links import link, relink
from ..plain import Plain
from ..pricing.preferences import set_price_preferences
from ..rows import Selector, selected, written

LINK = "region_payment_provider"
ELSEWHERE = ("payment_providers", "is_tax_inclusive")


def bare(region: Row) -> Row:
    """The region module's part of a region's input."""
    return {name: value for name, value in region.items() if name not in ELSEWHERE}


async def check_currencies(flow: Flow, codes: Iterable[str | None]) -> None:
    """Raises InvalidData for an unknown currency."""
    wanted = sorted({code.lower() for code in codes if code})
    there = {row["code"] for row in await flow.modules.currency.list("currency", {"code": wanted}, fields=("code",))} if wanted else set()
    lost = [code for code in wanted if code not in there]
    if lost:
        raise InvalidData(f"Currencies with codes: {', '.join(lost)} were not found")


async def check_providers(flow: Flow, ids: Iterable[str]) -> None:
    """Raises NotFound for a payment provider that doesn't exist, or is disabled."""
    wanted = sorted(set(ids))
    if not wanted:
        return
    rows = await flow.modules.payment.list("payment_provider", {"id": wanted, "is_enabled": True}, fields=("id",))
    there = {row["id"] for row in rows}
    lost = [id for id in wanted if id not in there]
    if lost:
        raise NotFound(f"Payment providers with ids {', '.join(lost)} not found or not enabled")


REGIONS = Plain("region", delete="delete-regions", event="region")
"""Deleting a region frees its countries."""


insert_regions = written("insert-regions", lambda modules: modules.region.create_regions)


@workflow("create-regions", durable=True)
async def create_regions(flow: Flow, regions: list[Row]) -> list[Row]:
    """Create regions: columns, `countries`, `payment_providers` (ids) and `is_tax_inclusive`. Returns the rows as they are stored, in
    order.

    Raises InvalidData for an unknown currency and for countries that are taken or unknown, NotFound for a provider.
    """
    await check_currencies(flow, [region.get("currency_code") for region in regions])
    await check_providers(flow, [id for region in regions for id in region.get("payment_providers") or []])
    made = (await flow.run(insert_regions, [bare(region) for region in regions]))["answer"]
    both = list(zip(made, regions, strict=True))
    providers = [
        {"region_id": row["id"], "payment_provider_id": id} for row, region in both for id in region.get("payment_providers") or []
    ]
    preferences = [
        {"attribute": "region_id", "value": row["id"], "is_tax_inclusive": bool(region.get("is_tax_inclusive"))} for row, region in both
    ]
    await link(flow, {LINK: providers})
    await flow.run(set_price_preferences, preferences)
    for row in made:
        flow.emit("region.created", id=row["id"])
    return made


change_regions = written("change-regions", lambda modules: modules.region.update_regions)


@workflow("update-regions", emits=("region.updated",))
async def update_regions(flow: Flow, selector: Selector, update: Row) -> list[Row]:
    """Change regions; `countries` and `payment_providers`, where named, replace the old ones. Raises what `create_regions` raises."""
    if update.get("is_tax_inclusive") is not None or update.get("payment_providers") is not None:
        flow.durably()
    await check_currencies(flow, [update.get("currency_code")])
    await check_providers(flow, update.get("payment_providers") or [])
    ids = await selected(flow, "region", selector)
    if not ids:
        return []
    changed = await flow.run(change_regions, [{**bare(update), "id": id} for id in ids])
    if update.get("is_tax_inclusive") is not None:
        inclusive = bool(update["is_tax_inclusive"])
        await flow.run(set_price_preferences, [{"attribute": "region_id", "value": id, "is_tax_inclusive": inclusive} for id in ids])
    if update.get("payment_providers") is not None:
        for id in ids:
            await relink(flow, LINK, "region_id", id, update["payment_providers"])
    for id in ids:
        flow.emit("region.updated", id=id)
    return changed["answer"]
