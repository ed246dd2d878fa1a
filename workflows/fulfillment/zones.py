"""Where a shop sends to: fulfillment sets, service zones; and the profiles of what it sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from ...core.errors import NotAllowed
from ...core.flow import Flow, step, workflow
from ..rows import Selector, create_rows, delete_rows, release_ties, selected, update_selected
from .options import release_options_of

Row = dict[str, Any]

# -- sets


async def _delete_sets(flow: Flow, sets: list[Row]) -> None:
    await flow.modules.fulfillment.delete("fulfillment_set", [row["id"] for row in sets])


@step(undo=_delete_sets)
async def insert_sets(flow: Flow, sets: Sequence[Row]) -> list[Row]:
    return await flow.modules.fulfillment.create_sets(sets)


@workflow("delete-fulfillment-sets-workflow")
async def delete_fulfillment_sets(flow: Flow, ids: list[str]) -> list[str]:
    """Delete sets with their zones and options. The ids that were there."""
    await release_options_of(flow, {"service_zone": {"fulfillment_set_id": ids}})
    gone = [row["id"] for row in (await flow.run(delete_rows, "fulfillment_set", ids))["rows"]]
    await flow.run(release_ties, "fulfillment_set", gone)
    return gone


# -- zones


async def _delete_zones(flow: Flow, zones: list[Row]) -> None:
    await flow.modules.fulfillment.delete("service_zone", [row["id"] for row in zones])


@step(undo=_delete_zones)
async def insert_zones(flow: Flow, zones: Sequence[Row]) -> list[Row]:
    return await flow.modules.fulfillment.create_zones(zones)


@workflow("create-service-zones-workflow")
async def create_service_zones(flow: Flow, zones: list[Row]) -> list[Row]:
    """Zones of sets (`fulfillment_set_id`), with their `geo_zones`. Raises NotFound for a set, InvalidData for a name that is taken."""
    return await flow.run(insert_zones, zones)


class ZonesBefore(TypedDict):
    zones: list[Row]
    before: dict[str, list[Row]]


async def _put_back_zones(flow: Flow, changed: ZonesBefore) -> None:
    await flow.modules.fulfillment.put_back_zones([row["id"] for row in changed["zones"]], changed["before"])


@step(undo=_put_back_zones)
async def change_zones(flow: Flow, rows: Sequence[Row]) -> ZonesBefore:
    changed = await flow.modules.fulfillment.update_zones(rows)
    return {"zones": changed["zones"], "before": changed["before"]}


@workflow("update-service-zones-workflow")
async def update_service_zones(flow: Flow, selector: Selector, update: Row) -> list[Row]:
    """Change zones; `geo_zones`, where named, are all that each has afterwards."""
    ids = await selected(flow, "service_zone", selector)
    return (await flow.run(change_zones, [{**update, "id": id} for id in ids]))["zones"]


@workflow("delete-service-zones-workflow")
async def delete_service_zones(flow: Flow, ids: list[str]) -> list[str]:
    """Delete zones with their options. The ids that were there."""
    await release_options_of(flow, {"service_zone_id": ids})
    return [row["id"] for row in (await flow.run(delete_rows, "service_zone", ids))["rows"]]


# -- profiles


@workflow("create-shipping-profiles-workflow")
async def create_shipping_profiles(flow: Flow, profiles: list[Row]) -> list[Row]:
    """Raises InvalidData for a name that is taken."""
    return (await flow.run(create_rows, "shipping_profile", profiles))["rows"]


@workflow("update-shipping-profiles-workflow")
async def update_shipping_profiles(flow: Flow, selector: Selector, update: Row) -> list[Row]:
    return await update_selected(flow, "shipping_profile", selector, update)


async def _restore_profiles(flow: Flow, ids: list[str]) -> None:
    await flow.modules.fulfillment.restore("shipping_profile", ids)


@step(undo=_restore_profiles)
async def remove_profiles(flow: Flow, ids: Sequence[str]) -> list[str]:
    return await flow.modules.fulfillment.delete_profiles(ids)


@workflow("delete-shipping-profile-workflow")
async def delete_shipping_profiles(flow: Flow, ids: list[str]) -> list[str]:
    """Delete profiles. The ids that were there. Raises NotAllowed where products or shipping options are of one of them."""
    used = sorted(
        {tie["shipping_profile_id"] for tie in await flow.modules.link.linked("product_shipping_profile", "shipping_profile_id", ids)}
    )
    if used:
        raise NotAllowed(f"Shipping profiles {', '.join(used)} have products. Give those another profile first")
    gone = await flow.run(remove_profiles, ids)
    await flow.run(release_ties, "shipping_profile", gone)
    return gone
