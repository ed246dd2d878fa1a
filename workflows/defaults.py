"""The contents of a new shop: currencies, countries and locales, a store, a channel and a key to it, refund reasons."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from ..core.errors import InvalidData
from ..core.rows import Row
from ..modules import Modules
from .kit import Flow, step, workflow

CURRENCY = "eur"
CHANNEL = "Default Sales Channel"
KEY = "Default Publishable API Key"
PROFILE = "Default Shipping Profile"
REASONS = (
    {"label": "Shipping Issue", "code": "shipping_issue", "description": "It got lost, came late or went to the wrong place"},
    {"label": "Customer Care Adjustment", "code": "customer_care_adjustment", "description": "A favour, or making good for trouble"},
    {"label": "Pricing Error", "code": "pricing_error", "description": "Too much was charged, or a discount was left out"},
)


async def seed_defaults(modules: Modules, metadata: Mapping[str, Any] | None = None) -> bool:
    """Make sure that the shop has its defaults; `metadata`: of the store, if it is created. Returns whether it was created now.

    May be repeated, also by several processes at once: one of them creates each thing. Only a shop without a store gets the
    rest: what a merchant changes or deletes later stays so. The store is created last, so that the next start finishes an
    interrupted one.
    """
    await asyncio.gather(modules.currency.keep_currencies(), modules.region.keep_countries(), modules.translation.keep_locales())
    if await modules.store.count("store"):
        return False
    channel, *_ = await asyncio.gather(
        modules.sales_channel.default_channel(CHANNEL, "Created by Medusa"),
        modules.pricing.set_price_preferences([{"attribute": "currency_code", "value": CURRENCY, "is_tax_inclusive": False}]),
        _keep_profile(modules),
    )
    own = channel["id"].removeprefix("sc_")  # ids derived from the channel's: concurrent calls create the same rows
    key = {"id": f"apk_{own}", "title": KEY, "type": "publishable", "created_by": ""}
    await _keep(partial(modules.api_key.count, "api_key"), modules.api_key.create_keys, key)
    await modules.link.attach("publishable_api_key_sales_channel", [{"publishable_key_id": key["id"], "sales_channel_id": channel["id"]}])
    for number, reason in enumerate(REASONS):
        row = {"id": f"refr_{own[:-1]}{number}", **reason}
        await _keep(partial(modules.payment.count, "refund_reason"), lambda rows: modules.payment.create("refund_reason", rows), row)
    return await modules.store.default_store(CURRENCY, channel["id"], metadata)


@workflow("create-defaults", durable=True)
async def create_defaults(flow: Flow) -> bool:
    """`seed_defaults` as a flow. It keeps what it created if it fails: the next run continues from there."""
    return await flow.run(make_defaults)


@step
async def make_defaults(flow: Flow) -> bool:
    return await seed_defaults(flow.modules)


async def _keep_profile(modules: Modules) -> None:
    if await modules.fulfillment.count("shipping_profile", {"type": "default"}):
        return
    try:
        await modules.fulfillment.create("shipping_profile", [{"name": PROFILE, "type": "default"}])
    except InvalidData:
        if not await modules.fulfillment.count("shipping_profile", {"name": PROFILE}):
            raise  # the row doesn't exist, so the error has another cause


async def _keep(count: Callable[[Row], Awaitable[int]], create: Callable[[list[Row]], Awaitable[Any]], row: Row) -> None:
    """Make sure that a row with that id exists, whichever process creates it."""
    if not await count({"id": row["id"]}):
        try:
            await create([row])
        except InvalidData:
            if not await count({"id": row["id"]}):
                raise  # the row doesn't exist, so the error has another cause
