"""Where a shop sends to: fulfillment sets, service zones; and the profiles of what it sends."""

from __future__ import annotations

from ...core.errors import InvalidData
from ...modules.fulfillment.service import FulfillmentService
from ..kit import Flow, workflow
from ..links import unlink_all
from ..plain import Plain
from ..rows import written

FULFILLMENT_SETS = Plain("fulfillment_set", delete="delete-fulfillment-sets-workflow")
SERVICE_ZONES = Plain(
    "service_zone",
    "create-service-zones-workflow",
    "update-service-zones-workflow",
    "delete-service-zones-workflow",
    create_by=FulfillmentService.create_zones,
    update_by=FulfillmentService.update_zones,
)
"""Zones of sets, with their `geo_zones`: what a change names is all that there is afterwards."""
SHIPPING_PROFILES = Plain("shipping_profile", "create-shipping-profiles-workflow", "update-shipping-profiles-workflow")


insert_sets = written("insert-sets", lambda modules: modules.fulfillment.create_sets)


remove_profiles = written("remove-profiles", lambda modules: modules.fulfillment.delete_profiles)


@workflow("delete-shipping-profile-workflow", durable=True)
async def delete_shipping_profiles(flow: Flow, ids: list[str]) -> list[str]:
    """Delete profiles. The ids that were there. Raises InvalidData where products or shipping options are of one of them."""
    used = sorted(
        {pair["shipping_profile_id"] for pair in await flow.modules.link.linked("product_shipping_profile", "shipping_profile_id", ids)}
    )
    if used:
        raise InvalidData(f"Shipping profiles {', '.join(used)} have products. Give those another profile first")
    gone = await flow.run(remove_profiles, ids)
    await unlink_all(flow, gone["change"])
    return gone["answer"]
