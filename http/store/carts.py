"""Store: carts, from the first line to the order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict

from ...core.errors import InvalidData, PaymentAuthorizationFailed, PaymentRequiresMore, VelellaError
from ...core.json import Fragment, dumps
from ...core.sql.schema.fields import FieldTree
from ...core.sql.schema.query import Query
from ...modules.cart.showing import shown
from ...workflows.cart.complete import complete_cart
from ...workflows.cart.context import CUSTOMER as BUYER
from ...workflows.cart.create import create_cart
from ...workflows.cart.discounts import Action
from ...workflows.cart.lines import add_to_cart, delete_line_items, update_line_item
from ...workflows.cart.pricing import update_cart_promotions, update_tax_lines
from ...workflows.cart.saving import ChangedCart
from ...workflows.cart.sellable import is_outdated, refresh_cart
from ...workflows.cart.shipping_methods import add_shipping_methods
from ...workflows.cart.update import transfer_cart, update_cart
from ..kit.access import CUSTOMER
from ..kit.bodies import (
    ABSENT,
    AdditionalData,
    Body,
    Email,
    Metadata,
    NotNegative,
    Part,
    Positive,
)
from ..kit.reply import Answer, Reply, deleted
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import Fields, View, words
from .addresses import AddressBody
from .orders import ORDER, show_placed
from .views import sessions_without_buyer, under

routes = Routes()

_COLUMNS = words(
    "id currency_code email locale region_id created_at updated_at completed_at total subtotal tax_total discount_total discount_subtotal"
    " discount_tax_total original_total original_tax_total item_total item_subtotal item_tax_total item_discount_total original_item_total"
    " original_item_subtotal original_item_tax_total shipping_total shipping_subtotal shipping_tax_total shipping_discount_total"
    " original_shipping_tax_total original_shipping_subtotal original_shipping_total credit_line_subtotal credit_line_tax_total"
    " credit_line_total metadata sales_channel_id shipping_address_id billing_address_id"
)
_PROMOTION = (*words("id code is_automatic is_tax_inclusive"), *under("application_method", "value type currency_code"))
_ITEM = words(
    "id thumbnail variant_id product_id is_giftcard product_type_id product_title product_description product_subtitle product_type"
    " product_collection product_handle variant_sku variant_barcode variant_title requires_shipping metadata created_at updated_at title"
    " quantity unit_price compare_at_unit_price is_tax_inclusive"
)
_PRODUCT = words("id collection_id type_id categories.id tags.id")
_TAX_LINE = words("id description code rate provider_id data metadata")
_ADDRESS = words("id first_name last_name company address_1 address_2 city postal_code country_code province phone")
_LINE_TOTALS = words("total subtotal tax_total discount_total discount_tax_total original_total original_subtotal original_tax_total")
_BELOW_TAX_LINE = words("total subtotal tax_rate_id created_at updated_at")


def _under(relation: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return under(relation, " ".join(names))


_SHOWN = (
    *_COLUMNS,
    *_under("promotions", _PROMOTION),
    *_under("items", _ITEM),
    *_under("items.product", _PRODUCT),
    *_under("items.tax_lines", _TAX_LINE),
    *under("items.adjustments", "id code promotion_id amount is_tax_inclusive"),
    *words("customer.id customer.email customer.groups.id"),
    *under("shipping_methods", "amount is_tax_inclusive shipping_option_id"),
    *_under("shipping_methods.tax_lines", _TAX_LINE),
    *under("shipping_methods.adjustments", "id code amount"),
    *_under("shipping_address", _ADDRESS),
    *_under("billing_address", _ADDRESS),
    *under("region", "id name currency_code automatic_taxes"),
)

CART = View(
    "cart",
    (*_SHOWN, *words("items.variant *region.countries *payment_collection *payment_collection.payment_sessions *credit_lines")),
    allowed=(
        *_SHOWN,
        *words("items region promotions customer shipping_methods shipping_address billing_address payment_collection credit_lines"),
        *words("customer_id original_subtotal gift_card_total gift_card_tax_total items.variant items.product"),
        *_under("items", _LINE_TOTALS),
        *under("items", "item_total item_subtotal item_tax_total cart_id is_discountable tax_lines adjustments"),
        *_under("items.tax_lines", ("item_id", *_BELOW_TAX_LINE)),
        *under("items.adjustments", "item_id description provider_id created_at updated_at"),
        *_under("shipping_methods", _LINE_TOTALS),
        *under("shipping_methods", "name id cart_id description data metadata created_at updated_at tax_lines adjustments"),
        *_under("shipping_methods.tax_lines", ("shipping_method_id", *_BELOW_TAX_LINE)),
        *under("shipping_methods.adjustments", "shipping_method_id description provider_id promotion_id created_at updated_at"),
        *under("shipping_address", "created_at updated_at"),
        *under("billing_address", "created_at updated_at"),
        "region.countries",
        *under("payment_collection", "payment_sessions id currency_code amount status payment_providers payment_providers.id"),
        *under("payment_collection.payment_sessions", "data id amount currency_code provider_id status"),
    ),
    stars={
        "customer": words("customer.id customer.email"),  # a client that enters an address isn't told whose it is
        **sessions_without_buyer("payment_collection.payment_sessions"),
    },
    label="Cart",
)


class CartItem(Part):
    variant_id: str
    quantity: Positive
    metadata: Metadata = None


class CreateCart(Body):
    region_id: str | None = None
    shipping_address: AddressBody | str = ABSENT
    billing_address: AddressBody | str = ABSENT
    email: Email | None = None
    currency_code: str | None = None
    items: list[CartItem] = ABSENT
    sales_channel_id: str | None = None
    promo_codes: list[str] = ABSENT
    metadata: Metadata = None
    locale: str | None = None
    additional_data: AdditionalData = None


class KnownAddress(AddressBody):
    """An address of the cart: with its id, unnamed fields stay; without, it replaces the old one."""

    model_config = ConfigDict(extra="ignore")

    id: str = ABSENT


class UpdateCart(Body):
    region_id: str = ABSENT
    email: Email | None = None
    billing_address: KnownAddress = ABSENT
    shipping_address: KnownAddress = ABSENT
    sales_channel_id: str | None = None
    metadata: Metadata = None
    promo_codes: list[str] = ABSENT
    locale: str | None = None
    additional_data: AdditionalData = None


class AddLineItem(Body):
    variant_id: str
    quantity: Positive
    metadata: Metadata = None


class UpdateLineItem(Body):
    quantity: NotNegative
    metadata: Metadata = None


class ChosenShippingOption(Part):
    several = True

    option_id: str
    data: dict[str, Any] = ABSENT


class Taxes(Body):
    fields: str = ABSENT


class PromoCodes(Body):
    promo_codes: list[str]


class Nothing(Body):
    pass


@routes.post("/store/carts", body=CreateCart, returns=CART)
async def create(request: Request) -> Answer:
    """Create a cart."""
    body = request.body
    channel = body.get("sales_channel_id") or None
    refused = _wrong_channel(request, channel)
    if refused is not None:
        return refused
    body["sales_channel_id"] = channel or next(iter(request.sales_channel_ids), None)
    return await _written(request, await request.run(create_cart, **body, customer_id=request.customer_id))


@routes.get("/store/carts/{id}", returns=CART)
async def get(request: Request) -> Answer:
    """Get a cart."""
    return await _show(request)


@routes.post("/store/carts/{id}", body=UpdateCart, returns=CART)
async def update(request: Request) -> Answer:
    """Change a cart's buyer, addresses, region, channel or metadata."""
    body = request.body
    if request.settings.strict_channels and body.get("sales_channel_id"):
        refused = _wrong_channel(request, body["sales_channel_id"])
        if refused is not None:
            return refused
    additional_data = body.pop("additional_data", None)
    changed = await request.run(update_cart, cart_id=request.params["id"], update=body, additional_data=additional_data)
    return await _written(request, changed)


@routes.post("/store/carts/{id}/line-items", body=AddLineItem, returns=CART)
async def add_line_item(request: Request) -> Answer:
    """Add a variant to a cart."""
    return await _written(request, await request.run(add_to_cart, cart_id=request.params["id"], items=[request.body]))


@routes.post("/store/carts/{id}/line-items/{line_id}", body=UpdateLineItem, returns=CART)
async def change_line_item(request: Request) -> Answer:
    """Change the quantity of a line; 0 removes it."""
    id, line = request.params["id"], request.params["line_id"]
    return await _written(request, await request.run(update_line_item, cart_id=id, item_id=line, update=request.body))


@routes.delete("/store/carts/{id}/line-items/{line_id}", returns=CART)
async def delete_line_item(request: Request) -> Answer:
    """Remove a line from a cart."""
    id = request.params["line_id"]
    await request.run(delete_line_items, cart_id=request.params["id"], ids=[id])
    page = await request.rows(CART, {"id": request.params["id"]}, limit=1)
    return deleted(id, "line-item", page.json[1:-1])


@routes.post("/store/carts/{id}/shipping-methods", body=ChosenShippingOption, returns=CART)
async def add_shipping_method(request: Request) -> Answer:
    """Choose a shipping method for a cart."""
    chosen = request.body.get("several", [request.body])
    if not chosen:
        raise InvalidData("Invalid request: a shipping option has to be chosen")
    options = [{"id": one["option_id"], "data": one.get("data") or {}} for one in chosen]
    return await _written(request, await request.run(add_shipping_methods, cart_id=request.params["id"], options=options))


@routes.post("/store/carts/{id}/taxes", body=Taxes, returns=CART)
async def taxes(request: Request) -> Answer:
    """Compute a cart's taxes."""
    await request.run(update_tax_lines, cart_id=request.params["id"], force=True)
    return await _show(request)


@routes.post("/store/carts/{id}/promotions", body=PromoCodes, returns=CART)
async def add_promotions(request: Request) -> Answer:
    """Enter promotion codes. An empty list removes all codes."""
    return await _promote(request, "add" if request.body["promo_codes"] else "replace")


@routes.delete("/store/carts/{id}/promotions", body=PromoCodes, returns=CART)
async def remove_promotions(request: Request) -> Answer:
    """Remove promotion codes."""
    return await _promote(request, "remove")


@routes.post("/store/carts/{id}/customer", body=Nothing, returns=CART, auth=CUSTOMER)
async def transfer(request: Request) -> Answer:
    """Make the logged-in customer the buyer of a cart."""
    await request.run(transfer_cart, cart_id=request.params["id"], customer_id=request.actor_id)
    return await _show(request)


@routes.post("/store/carts/{id}/complete", returns=ORDER)
async def complete(request: Request) -> Answer:
    """Place an order for a cart. Repeated requests get the same order."""
    id = request.params["id"]
    try:
        done = await request.run(complete_cart, cart_id=id)
    except (PaymentAuthorizationFailed, PaymentRequiresMore) as error:
        page = await request.rows(CART, {"id": id}, fields=CART.defaults, limit=1)
        problem = {"message": error.message, "name": error.type, "type": error.type}
        return dumps({"type": "cart", "cart": Fragment(page.json[1:-1]), "error": problem})
    except VelellaError as error:
        if is_outdated(error):  # the buyer is told why, and the cart is updated to what can be bought
            await request.run(refresh_cart, cart_id=id)
        raise
    return dumps({"type": "order", "order": await show_placed(request, done)})


# -- inside


async def _promote(request: Request, action: Action) -> Answer:
    codes = request.body["promo_codes"]
    changed = await request.run(update_cart_promotions, cart_id=request.params["id"], promo_codes=codes, action=action)
    assert changed is not None
    return await _written(request, changed)


async def _show(request: Request) -> bytes:
    """A cart. Its promotions are read only if it has discounts."""
    id, fields = request.params["id"], request.fields_of(CART)
    if not (request.asks("promotions") and request.asks("items.adjustments") and request.asks("shipping_methods.adjustments")):
        return await request.fetch(CART, id)
    rows = (await request.modules.cart.query(Query("cart", request.graph.own_fields("cart", fields), {"id": id}, limit=1))).rows
    if not rows:
        raise request.not_found(CART, id)
    if not any(line["adjustments"] for line in (*rows[0]["items"], *rows[0]["shipping_methods"])):
        rows[0]["promotions"] = []
    if rows[0].get("customer_id") is not None and _asks_for_buyer(fields):  # with the fields that flows read: mostly cached
        found = await request.graph.rows(Query("customer", BUYER, {"id": rows[0]["customer_id"]}, limit=1))
        rows[0]["customer"] = _buyer(found[0] if found else None)
    await request.graph.complete("cart", rows, fields)
    return _shown(rows[0])


async def _written(request: Request, changed: ChangedCart) -> bytes:
    """A cart that was just written, from memory: only its data in other modules is read."""
    fields = request.fields_of(CART)
    rows = shown([changed["cart"]], request.graph.own_fields("cart", fields))
    if rows is None:  # the request wants fields that aren't in memory
        return await request.fetch(CART, changed["cart"]["id"])
    if not changed["is_promoted"] and request.asks("promotions"):
        rows[0]["promotions"] = []
    if _asks_for_buyer(fields):
        rows[0]["customer"] = _buyer(changed["customer"])
    await request.graph.complete("cart", rows, fields)
    return _shown(rows[0])


def _shown(cart: dict[str, Any]) -> bytes:
    """A cart without the names of missing things, as a query would show it."""
    for name in ("customer", "payment_collection"):
        if name in cart and cart[name] is None:
            del cart[name]
    return dumps({"cart": cart})


def _asks_for_buyer(fields: Fields) -> bool:
    """Whether the buyer is asked for with the default fields."""
    asked = FieldTree.parse(fields).get("customer")
    return asked is not None and asked.fields() == ("email", "groups.id", "id")


def _buyer(customer: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A buyer with the default fields."""
    return {name: customer[name] for name in ("id", "email", "groups")} if customer is not None else None


def _wrong_channel(request: Request, channel: str | None) -> Reply | None:
    """The answer to a cart for a channel that the storefront's key isn't linked to. A key without channels allows all."""
    mine = request.sales_channel_ids
    if channel is not None and mine and channel not in mine:
        problem = f"Sales channel ID in payload {channel} is not associated with the Publishable API Key in the header."
    elif channel is None and len(mine) > 1:
        problem = "Cannot assign sales channel to cart. The Publishable API Key in the header has multiple associated sales channels."
        problem += " Please provide a sales channel ID in the request body."
    else:
        return None
    message = "Provided request body contains errors. Please check the data and retry the request"
    return Reply(dumps({"errors": [problem], "message": message}), 400)
