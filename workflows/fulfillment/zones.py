"""Where a shop sends to: fulfillment sets, service zones; and the profiles of what it sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.errors import InvalidData
from ...core.flow import Flow, Kept, keep, step, take_back, workflow
from ..links import delete, unlink_all
from ..rows import Selector, create_rows, selected, update_selected

Row = dict[str, Any]

# -- sets


@step(undo=take_back)
async def insert_sets(flow: Flow, sets: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.fulfillment.create_sets, sets)


@workflow("delete-fulfillment-sets-workflow", durable=True)
async def delete_fulfillment_sets(flow: Flow, ids: list[str]) -> list[str]:
    """Delete sets with their zones and options. The ids that were there."""
    return await delete(flow, "fulfillment_set", ids)


# -- zones


@step(undo=take_back)
async def insert_zones(flow: Flow, zones: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.fulfillment.create_zones, zones)


@workflow("create-service-zones-workflow")
async def create_service_zones(flow: Flow, zones: list[Row]) -> list[Row]:
    """Zones of sets (`fulfillment_set_id`), with their `geo_zones`. Raises NotFound for a set, InvalidData for a name that is taken."""
    return (await flow.run(insert_zones, zones))["answer"]


@step(undo=take_back)
async def change_zones(flow: Flow, rows: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.fulfillment.update_zones, rows)


@workflow("update-service-zones-workflow")
async def update_service_zones(flow: Flow, selector: Selector, update: Row) -> list[Row]:
    """Change zones; `geo_zones`, where named, are all that each has afterwards."""
    ids = await selected(flow, "service_zone", selector)
    return (await flow.run(change_zones, [{**update, "id": id} for id in ids]))["answer"]


@workflow("delete-service-zones-workflow", durable=True)
async def delete_service_zones(flow: Flow, ids: list[str]) -> list[str]:
    """Delete zones with their options. The ids that were there."""
    return await delete(flow, "service_zone", ids)


# -- profiles


@workflow("create-shipping-profiles-workflow")
async def create_shipping_profiles(flow: Flow, profiles: list[Row]) -> list[Row]:
    """Raises InvalidData for a name that is taken."""
    return (await flow.run(create_rows, "shipping_profile", profiles))["answer"]


@workflow("update-shipping-profiles-workflow")
async def update_shipping_profiles(flow: Flow, selector: Selector, update: Row) -> list[Row]:
    return await update_selected(flow, "shipping_profile", selector, update)


@step(undo=take_back)
async def remove_profiles(flow: Flow, ids: Sequence[str]) -> Kept[list[str]]:
    return await keep(flow.modules.fulfillment.delete_profiles, ids)


@workflow("delete-shipping-profile-workflow", durable=True)
async def delete_shipping_profiles(flow: Flow, ids: list[str]) -> list[str]:
    """Delete profiles. The ids that were there. Raises InvalidData where products or shipping options are of one of them."""
    used = sorted(
        {tie["shipping_profile_id"] for tie in await flow.modules.link.linked("product_shipping_profile", "shipping_profile_id", ids)}
    )
    if used:
        raise InvalidData(f"Shipping profiles {', '.join(used)} have products. Give those another profile first")
    gone = await flow.run(remove_profiles, ids)
    await unlink_all(flow, gone["change"])
    return gone["answer"]
