"""Admin: where a fulfillment set sends to: service zones, made of geo zones."""

from __future__ import annotations

from typing import Any, Literal

from ...workflows.fulfillment.zones import create_service_zones, delete_fulfillment_sets, delete_service_zones, update_service_zones
from ..frontend.bodies import ABSENT, Body, Metadata, Part
from ..frontend.nested import belonging, deleted_from
from ..frontend.request import Answer, Request
from ..frontend.resource import require
from ..frontend.routes import Routes
from ..frontend.view import View

routes = Routes()

FULFILLMENT_SET = View("fulfillment_set", "id name type created_at updated_at deleted_at *service_zones *service_zones.geo_zones")
SERVICE_ZONE = View("service_zone", "id name created_at updated_at deleted_at *geo_zones")


class Country(Part):
    type: Literal["country"]
    country_code: str
    metadata: Metadata = None


class Province(Part):
    type: Literal["province"]
    country_code: str
    province_code: str
    metadata: Metadata = None


class City(Part):
    type: Literal["city"]
    country_code: str
    province_code: str
    city: str
    metadata: Metadata = None


class Zip(Part):
    type: Literal["zip"]
    country_code: str
    province_code: str
    city: str
    postal_expression: dict[str, Any]
    metadata: Metadata = None


class KnownCountry(Country):
    id: str = ABSENT


class KnownProvince(Province):
    id: str = ABSENT


class KnownCity(City):
    id: str = ABSENT


class KnownZip(Zip):
    id: str = ABSENT


class CreateZone(Body):
    name: str
    geo_zones: list[Country | Province | City | Zip] = ABSENT


class UpdateZone(Body):
    name: str | None = None
    geo_zones: list[KnownCountry | KnownProvince | KnownCity | KnownZip] = ABSENT


routes.resource("/admin/fulfillment-sets", FULFILLMENT_SET, get=False, delete=delete_fulfillment_sets)


@routes.post("/admin/fulfillment-sets/{id}/service-zones", body=CreateZone, returns=FULFILLMENT_SET)
async def add_zone(request: Request) -> Answer:
    """Add a zone that is sent to."""
    id = request.params["id"]
    await require(request, "fulfillment_set", [id])
    await request.run(create_service_zones, zones=[{**request.body, "fulfillment_set_id": id}])
    return await request.fetch(FULFILLMENT_SET, id)


@routes.get("/admin/fulfillment-sets/{id}/service-zones/{zone_id}", returns=SERVICE_ZONE)
async def get_zone(request: Request) -> Answer:
    """Get a zone that is sent to."""
    return await request.fetch(SERVICE_ZONE, request.params["zone_id"], filters={"fulfillment_set_id": request.params["id"]})


@routes.post("/admin/fulfillment-sets/{id}/service-zones/{zone_id}", body=UpdateZone, returns=FULFILLMENT_SET)
async def update_zone(request: Request) -> Answer:
    """Change a zone. Its geo zones, where they are named, are all that it has afterwards."""
    id, zone_id = request.params["id"], request.params["zone_id"]
    await belonging(request, "service_zone", zone_id, fulfillment_set_id=id)
    changes = {name: value for name, value in request.body.items() if value is not None}
    await request.run(update_service_zones, selector={"id": zone_id}, update=changes)
    return await request.fetch(FULFILLMENT_SET, id)


@routes.delete("/admin/fulfillment-sets/{id}/service-zones/{zone_id}", returns=FULFILLMENT_SET)
async def delete_zone(request: Request) -> Answer:
    """No longer send to a zone: its shipping options go with it."""
    id, zone_id = request.params["id"], request.params["zone_id"]
    await belonging(request, "service_zone", zone_id, fulfillment_set_id=id)
    await request.run(delete_service_zones, ids=[zone_id])
    return await deleted_from(request, FULFILLMENT_SET, id, zone_id, "service_zone")
