"""Store: the shipping options of a cart, and their prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.json import dumps
from ...core.sql.schema.fields import FieldTree
from ...workflows.cart.shipping import calculate_shipping_option, list_shipping_options
from ..kit.bodies import ABSENT, Body
from ..kit.filters import BOOLEAN, TEXT, Filters, required
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View, words
from .views import under

routes = Routes()

_PRICE = "id price_list_id price_list_type min_quantity max_quantity"
_CALCULATED = (
    "id currency_code calculated_amount calculated_amount_with_tax calculated_amount_without_tax original_amount"
    " original_amount_with_tax original_amount_without_tax is_calculated_price_price_list is_calculated_price_tax_inclusive"
    " is_original_price_price_list is_original_price_tax_inclusive"
)
_OPTION = words("id name price_type service_zone_id shipping_profile_id provider_id")
_ALLOWED = (
    *_OPTION,
    *words("shipping_option_type_id metadata data type provider prices calculated_price"),
    *under("type", "id label description code"),
    *under("provider", "id is_enabled"),
    *under("prices", "id currency_code amount min_quantity max_quantity price_rules"),
    *under("prices.price_rules", "id attribute operator value"),
    *under("calculated_price", _CALCULATED),
    *under("calculated_price", "calculated_price original_price"),
    *under("calculated_price.calculated_price", _PRICE),
    *under("calculated_price.original_price", _PRICE),
)
SHIPPING_OPTION = View(
    "shipping_option", (*_OPTION, "shipping_option_type_id", "metadata"), allowed=_ALLOWED, limit=20, label="Shipping option"
)
SHIPPING_OPTIONS = SHIPPING_OPTION.but(
    defaults=(
        *_OPTION,
        *words("data *type *rules *provider *prices *prices.price_rules *calculated_price"),
        *under("service_zone", "id fulfillment_set_id fulfillment_set.id fulfillment_set.type"),
        *words("service_zone.fulfillment_set.location.id *service_zone.fulfillment_set.location.address"),
    ),
    allowed=(
        *_ALLOWED,
        *words("service_zone service_zone.id service_zone.fulfillment_set_id service_zone.fulfillment_set"),
        *under("service_zone.fulfillment_set", "id type location location.id location.address"),
        *under("service_zone.fulfillment_set.location.address", "id company address_1 address_2 city country_code province postal_code"),
        *under("service_zone.fulfillment_set.location.address", "phone metadata created_at updated_at deleted_at"),
    ),
    stars={"service_zone.fulfillment_set.location": ("service_zone.fulfillment_set.location.id",)},
    relations_limit=4,
)
_ALWAYS = ("amount", "is_tax_inclusive", "insufficient_inventory")


class Calculate(Body):
    cart_id: str
    data: dict[str, Any] = ABSENT


@routes.get(
    "/store/shipping-options",
    returns=SHIPPING_OPTIONS,
    query=Filters(cart_id=required(TEXT), is_return=BOOLEAN, logical=True),
    many=True,
)
async def list_options(request: Request) -> Answer:
    """List the shipping options of a cart, with prices."""
    is_return = bool(request.filters.get("is_return", False))
    asked = {"cart_id": request.filters["cart_id"], "is_return": is_return, "locale": request.locale}
    options = await request.run(list_shipping_options, **asked)
    wanted = FieldTree.parse(request.fields)
    return dumps({"shipping_options": [_shown(option, wanted) for option in options]})


@routes.post("/store/shipping-options/{id}/calculate", body=Calculate, returns=SHIPPING_OPTION)
async def calculate(request: Request) -> Answer:
    """Calculate the price of an option for a cart, if its provider does so."""
    body = request.body
    option = await request.run(calculate_shipping_option, cart_id=body["cart_id"], option_id=request.params["id"], data=body.get("data"))
    return dumps({"shipping_option": _shown(option, FieldTree.parse(request.fields))})


def _shown(option: Mapping[str, Any], wanted: FieldTree) -> dict[str, Any]:
    """The requested fields, and always the price."""
    return {**_kept(option, wanted), **{name: option[name] for name in _ALWAYS if name in option}}


def _kept(value: Any, wanted: FieldTree) -> Any:
    if isinstance(value, list):
        return [_kept(each, wanted) for each in value]
    whole, children = wanted.whole, wanted.children
    if not isinstance(value, dict) or (whole and not children):
        return value
    return {
        name: _kept(each, children[name]) if name in children else each
        for name, each in value.items()
        if whole or name in children or name == "id"
    }
