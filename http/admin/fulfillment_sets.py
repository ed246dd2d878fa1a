"""Admin: the service zones of a fulfillment set, made of geo zones."""

from __future__ import annotations

from typing import Any, Literal

from ...core.rows import Row
from ...workflows.fulfillment.zones import FULFILLMENT_SETS, SERVICE_ZONES
from ..kit.bodies import ABSENT, Body, Metadata, Part
from ..kit.nested import belonging, deleted_from
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View
from ..kit.write import Write

routes = Routes()

ZONES = "/admin/fulfillment-sets/{id}/service-zones"

FULFILLMENT_SET = View("fulfillment_set", "id name type created_at updated_at deleted_at *service_zones *service_zones.geo_zones")
SERVICE_ZONE = View("service_zone", "id name created_at updated_at deleted_at *geo_zones")


class CountryZone(Part):
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


class KnownCountry(CountryZone):
    id: str = ABSENT


class KnownProvince(Province):
    id: str = ABSENT


class KnownCity(City):
    id: str = ABSENT


class KnownZip(Zip):
    id: str = ABSENT


class CreateZone(Body):
    name: str
    geo_zones: list[CountryZone | Province | City | Zip] = ABSENT


class UpdateZone(Body):
    name: str | None = None
    geo_zones: list[KnownCountry | KnownProvince | KnownCity | KnownZip] = ABSENT


def changed_zone(_: Request, body: Row) -> Row:
    return {name: value for name, value in body.items() if value is not None}


routes.resource("/admin/fulfillment-sets", FULFILLMENT_SET, FULFILLMENT_SETS, get=False)
routes.resource(
    ZONES,
    SERVICE_ZONE,
    SERVICE_ZONES,
    create=CreateZone,
    update=Write(UpdateZone, before=changed_zone),
    get=False,
    delete=False,
    param="zone_id",
    within={"fulfillment_set_id": "id"},
    parent=FULFILLMENT_SET,
    summaries={
        "create": "Add a zone that is sent to.",
        "update": "Change a zone. Its geo zones, where they are named, are all that it has afterwards.",
    },
)


@routes.get(f"{ZONES}/{{zone_id}}", returns=SERVICE_ZONE)
async def get_zone(request: Request) -> Answer:
    """Get a service zone."""
    return await request.fetch(SERVICE_ZONE, request.params["zone_id"], filters={"fulfillment_set_id": request.params["id"]})


@routes.delete(f"{ZONES}/{{zone_id}}", returns=FULFILLMENT_SET)
async def delete_zone(request: Request) -> Answer:
    """Delete a service zone with its shipping options."""
    id, zone_id = request.params["id"], request.params["zone_id"]
    await belonging(request, "service_zone", zone_id, fulfillment_set_id=id)
    await request.run(SERVICE_ZONES.delete, ids=[zone_id])
    return await deleted_from(request, FULFILLMENT_SET, id, zone_id, "service_zone")
