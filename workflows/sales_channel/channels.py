"""Sales channels, and the products they offer."""

from __future__ import annotations

from ...core.errors import InvalidData
from ..kit import Flow, workflow
from ..links import delete, link, unlink
from ..plain import Plain

SALES_CHANNELS = Plain("sales_channel", "create-sales-channels", "update-sales-channels", event="sales-channel")


@workflow("delete-sales-channels", durable=True)
async def delete_sales_channels(flow: Flow, ids: list[str]) -> list[str]:
    """Delete channels with all their links. Raises InvalidData for a store's default channel."""
    stores = await flow.modules.store.list("store", {"default_sales_channel_id": ids}, fields=("default_sales_channel_id",))
    if stores:
        defaults = ", ".join(sorted({store["default_sales_channel_id"] for store in stores}))
        raise InvalidData(f"Cannot delete default sales channels: {defaults}")
    gone = await delete(flow, "sales_channel", ids)
    for id in gone:
        flow.emit("sales-channel.deleted", id=id)
    return gone


@workflow("link-products-to-sales-channel")
async def link_products_to_sales_channel(flow: Flow, id: str, add: list[str] | None = None, remove: list[str] | None = None) -> str:
    """Offer products in a channel, or no longer. Raises NotFound for the channel."""
    if add and remove:
        flow.durably()
    await flow.modules.sales_channel.retrieve("sales_channel", id, fields=("id",))
    await link(flow, {"product_sales_channel": [{"product_id": product, "sales_channel_id": id} for product in add or []]})
    await unlink(flow, {"product_sales_channel": [{"product_id": product, "sales_channel_id": id} for product in remove or []]})
    return id


@workflow("link-sales-channels-to-api-key")
async def link_sales_channels_to_api_key(flow: Flow, id: str, add: list[str] | None = None, remove: list[str] | None = None) -> str:
    """Let a publishable key open channels, or no longer.

    Raises NotFound for an unknown key; InvalidData for an unknown channel, and for a secret key: it belongs to a merchant, not to a
    storefront.
    """
    if add and remove:
        flow.durably()
    key = await flow.modules.api_key.retrieve("api_key", id, fields=("type",))
    if key["type"] != "publishable":
        raise InvalidData("Sales channels can only be associated with publishable API keys")
    if add:
        there = {row["id"] for row in await flow.modules.sales_channel.list("sales_channel", {"id": add}, fields=("id",))}
        lost = [channel for channel in add if channel not in there]
        if lost:
            raise InvalidData(f"Sales channels with IDs {', '.join(lost)} do not exist")
    pairs = "publishable_api_key_sales_channel"
    await link(flow, {pairs: [{"publishable_key_id": id, "sales_channel_id": channel} for channel in add or []]})
    await unlink(flow, {pairs: [{"publishable_key_id": id, "sales_channel_id": channel} for channel in remove or []]})
    return id
