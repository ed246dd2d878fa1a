"""Admin: shipping profiles (what is sent alike) and the types of shipping options."""

from __future__ import annotations

from ...workflows.fulfillment.options import create_shipping_option_types, delete_shipping_option_types, update_shipping_option_types
from ...workflows.fulfillment.zones import create_shipping_profiles, delete_shipping_profiles, update_shipping_profiles
from ..frontend.bodies import ABSENT, Body, Metadata
from ..frontend.filters import MANY, STAMPS, TEXT, Filters
from ..frontend.routes import Routes, Write
from ..frontend.view import View

routes = Routes()

SHIPPING_PROFILE = View("shipping_profile", "id name type metadata created_at updated_at", limit=20)
OPTION_TYPE = View("shipping_option_type", "id label code description created_at updated_at", limit=10)


class UpdateProfile(Body):
    name: str = ABSENT
    type: str = ABSENT
    metadata: Metadata = None


class CreateProfile(UpdateProfile):
    name: str
    type: str


class UpdateType(Body):
    label: str = ABSENT
    code: str = ABSENT
    description: str = ABSENT


class CreateType(UpdateType):
    label: str
    code: str


SHIPPING_PROFILES = Filters(id=MANY, q=TEXT, type=TEXT, name=TEXT, logical=True, **STAMPS)

routes.resource(
    "/admin/shipping-profiles",
    SHIPPING_PROFILE,
    list=SHIPPING_PROFILES,
    create=Write(CreateProfile, run=create_shipping_profiles, query=SHIPPING_PROFILES.ignoring()),
    update=Write(UpdateProfile, update_shipping_profiles),
    delete=delete_shipping_profiles,
)
routes.resource(
    "/admin/shipping-option-types",
    OPTION_TYPE,
    list=Filters(q=TEXT, id=MANY, label=MANY, code=MANY, description=MANY, logical=True, **STAMPS),
    create=Write(CreateType, create_shipping_option_types),
    update=Write(UpdateType, update_shipping_option_types),
    delete=delete_shipping_option_types,
)
