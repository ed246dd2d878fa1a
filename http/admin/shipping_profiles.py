"""Admin: shipping profiles (groups of products that are shipped alike) and the types of shipping options."""

from __future__ import annotations

from ...workflows.fulfillment.options import OPTION_TYPES
from ...workflows.fulfillment.zones import SHIPPING_PROFILES, delete_shipping_profiles
from ..kit import (
    ABSENT,
    MANY,
    STAMPS,
    TEXT,
    Body,
    Filters,
    Metadata,
    Routes,
    View,
)

routes = Routes()

SHIPPING_PROFILE = View("shipping_profile", "id name type metadata created_at updated_at", limit=20)
OPTION_TYPE = View("shipping_option_type", "id label code description created_at updated_at", limit=10)


class CreateProfile(Body):
    name: str
    type: str
    metadata: Metadata = None


class CreateType(Body):
    label: str
    code: str
    description: str = ABSENT


routes.resource(
    "/admin/shipping-profiles",
    SHIPPING_PROFILE,
    SHIPPING_PROFILES,
    list=Filters(id=MANY, q=TEXT, type=TEXT, name=TEXT, logical=True, **STAMPS),
    create=CreateProfile,
    update=True,
    delete=delete_shipping_profiles,
    like_list="create",
)
routes.resource(
    "/admin/shipping-option-types",
    OPTION_TYPE,
    OPTION_TYPES,
    list=Filters(q=TEXT, id=MANY, label=MANY, code=MANY, description=MANY, logical=True, **STAMPS),
    create=CreateType,
    update=True,
)
