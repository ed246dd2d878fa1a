"""What a shop has before anybody has done anything: the world's currencies and countries, a store, a channel and a key to it."""

from __future__ import annotations

import asyncio

from ..core.errors import InvalidData
from ..core.flow import Flow, step, workflow
from ..modules import Modules

CURRENCY = "eur"
CHANNEL = "Default Sales Channel"
KEY = "Default Publishable API Key"
PROFILE = "Default Shipping Profile"


async def seed_defaults(modules: Modules) -> bool:
    """See to it that the shop has its defaults; whether its store was made just now.

    May be repeated, also at once from several processes: one of them makes each thing. Only a shop without a store gets a channel,
    a key and a profile: what a merchant deletes later stays deleted. The store comes last, so that the next start makes good one
    that was cut off.
    """
    await asyncio.gather(modules.currency.keep_currencies(), modules.region.keep_countries())
    if await modules.store.count("store"):
        return False
    channel, _ = await asyncio.gather(modules.sales_channel.default_channel(CHANNEL, "Created by Medusa"), _keep_profile(modules))
    await _keep_key(modules, channel["id"])
    return await modules.store.default_store(CURRENCY, channel["id"])


@workflow("create-defaults", durable=True)
async def create_defaults(flow: Flow) -> bool:
    """`seed_defaults` as a flow. It keeps what it made when it fails: the next run goes on from there."""
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
            raise  # not because somebody else was first


async def _keep_key(modules: Modules, channel_id: str) -> None:
    id = f"apk_{channel_id.removeprefix('sc_')}"  # follows from the channel's: two who make the key at once make the same one
    if not await modules.api_key.count("api_key", {"id": id}):
        try:
            await modules.api_key.create_keys([{"id": id, "title": KEY, "type": "publishable", "created_by": ""}])
        except InvalidData:
            if not await modules.api_key.count("api_key", {"id": id}):
                raise
    await modules.link.attach("publishable_api_key_sales_channel", [{"publishable_key_id": id, "sales_channel_id": channel_id}])
