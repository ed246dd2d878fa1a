"""Stock locations with their sales channels, fulfillment sets and providers."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.errors import NotFound
from ...core.rows import Row
from ...modules.stock_location.service import StockLocationService
from ..fulfillment.zones import insert_sets
from ..kit import Flow, workflow
from ..links import link, unlink
from ..plain import Plain

STOCK_LOCATIONS = Plain(
    "stock_location",
    update="update-stock-locations-workflow",
    delete="delete-stock-locations-workflow",
    update_by=StockLocationService.update_locations,
)
create_stock_locations = Plain(
    "stock_location",
    "create-stock-locations-workflow",
    hooks="stockLocations",
    rows_as="stockLocations",
    create_by=StockLocationService.create_locations,
).create
"""Locations with their `address`, or the `address_id` of an existing one. Only creating has a hook."""


@workflow("create-location-fulfillment-set", durable=True)
async def create_location_fulfillment_set(flow: Flow, location_id: str, fulfillment_set_data: Row) -> str:
    """Create a fulfillment set of a location. Returns its id. Raises NotFound for the location, InvalidData for a taken name."""
    await flow.modules.stock_location.retrieve("stock_location", location_id, fields=("id",))
    (made,) = (await flow.run(insert_sets, [fulfillment_set_data]))["answer"]
    await link(flow, {"location_fulfillment_set": [{"stock_location_id": location_id, "fulfillment_set_id": made["id"]}]})
    return str(made["id"])


@workflow("link-sales-channels-to-stock-location")
async def link_sales_channels_to_stock_location(flow: Flow, id: str, add: list[str] | None = None, remove: list[str] | None = None) -> str:
    """Change the sales channels of a location. Raises NotFound for the location, and for a channel to be added."""
    if add and remove:
        flow.durably()
    if add:
        rows = await flow.modules.sales_channel.list("sales_channel", {"id": add}, fields=("id",))
        _check_all_there("Sales channels", add, rows)
    return await _relink(flow, "sales_channel_stock_location", "sales_channel_id", id, add, remove)


@workflow("link-fulfillment-providers-to-stock-location")
async def link_fulfillment_providers_to_stock_location(
    flow: Flow, id: str, add: list[str] | None = None, remove: list[str] | None = None
) -> str:
    """Change the fulfillment providers of a location. Raises NotFound for the location, and for a provider to be added."""
    if add and remove:
        flow.durably()
    if add:
        rows = await flow.modules.fulfillment.list("fulfillment_provider", {"id": add}, fields=("id",))
        _check_all_there("Fulfillment providers", add, rows)
    return await _relink(flow, "location_fulfillment_provider", "fulfillment_provider_id", id, add, remove)


def _check_all_there(what: str, wanted: Sequence[str], rows: Sequence[Row]) -> None:
    there = {row["id"] for row in rows}
    lost = [id for id in wanted if id not in there]
    if lost:
        raise NotFound(f"{what} with ids: {', '.join(lost)} were not found")


async def _relink(flow: Flow, name: str, key: str, location_id: str, add: Sequence[str] | None, remove: Sequence[str] | None) -> str:
    await flow.modules.stock_location.retrieve("stock_location", location_id, fields=("id",))
    await unlink(flow, {name: [{key: other, "stock_location_id": location_id} for other in remove or ()]})
    await link(flow, {name: [{key: other, "stock_location_id": location_id} for other in add or ()]})
    return location_id
