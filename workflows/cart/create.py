"""Opening a cart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...commerce.addresses import FIELDS
from ...commerce.priced import ADDRESSES
from ...commerce.reprice import reprice
from ...core.emails import folded
from ...core.errors import InvalidData, NotFound
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ..kit import Flow, step, workflow
from .context import CUSTOMER, REGION, CartContext, check_country
from .discounts import open_with_promotions
from .lines import put_lines
from .pricing import CartMarket
from .saving import ChangedCart, changed_cart
from .types import Buyer, Region
from .working import WorkingCart


@workflow("create-cart", hooks=("setPricingContext", "validate", "cartCreated"), emits=("cart.created",))
async def create_cart(
    flow: Flow,
    region_id: str | None = None,
    customer_id: str | None = None,
    sales_channel_id: str | None = None,
    email: str | None = None,
    currency_code: str | None = None,
    locale: str | None = None,
    shipping_address: Mapping[str, Any] | str | None = None,
    billing_address: Mapping[str, Any] | str | None = None,
    metadata: Mapping[str, Any] | None = None,
    promo_codes: Sequence[str] = (),
    items: Sequence[Mapping[str, Any]] = (),
    additional_data: Mapping[str, Any] | None = None,
) -> ChangedCart:
    """Create a cart, with lines if `items` name variants. Returns the cart.

    Default of the region: that of the shipping address's country, the store's own, or the first. Default of the currency: the region's.
    Default of the channel: the store's own, if it has one. An email without a customer creates a guest. An address may be the id of one
    that the customer has saved.

    Raises NotFound for an unknown region, customer or channel; InvalidData for a disabled channel, a country outside the region
    where `strict_addresses` is set, variants that can't be bought, unknown promotion codes; InsufficientInventory.
    """
    addresses = {"shipping": shipping_address, "billing": billing_address}
    email = normal_email(email)
    channel = await find_sales_channel(flow, sales_channel_id or await _default_channel(flow))
    region = await find_region(flow, region_id, shipping_address)
    customer = await find_customer(flow, customer_id, email)
    saved = await saved_addresses(flow, customer_id, [given for given in addresses.values() if isinstance(given, str)])
    cart_context = CartContext(region, customer)
    draft = WorkingCart.new(
        {
            "region_id": region["id"],
            "customer_id": customer["id"] if customer is not None else None,
            "sales_channel_id": channel["id"] if channel is not None else None,
            "email": email or (customer["email"] if customer is not None else None),
            "currency_code": (currency_code or region["currency_code"]).lower(),
            "locale": locale,
            "metadata": metadata,
        }
    )
    for kind in ADDRESSES:
        given = addresses[kind]
        if isinstance(given, str):
            given = saved[given]
        if given is None and kind == "shipping" and len(cart_context.countries) == 1:
            given = {"country_code": cart_context.countries[0]}  # so that taxes are known from the start
        if given is not None:
            inside = check_country(given, cart_context, strict=flow.settings.strict_addresses) if kind == "shipping" else given
            draft.put_address(kind, inside)
    put_lines(draft, items)
    market = CartMarket(flow, draft, cart_context, additional_data=additional_data, codes=promo_codes)
    if items:
        await market.price_lines({item["variant_id"] for item in items})
    await flow.hooks.validate(cart=lambda: draft.document(flow.now()))
    await reprice(market)
    await open_with_promotions(flow, draft)
    await flow.hooks.cartCreated(cart=lambda: draft.document(flow.now()))
    flow.emit("cart.created", id=draft.id)
    return changed_cart(draft, cart_context)


async def _default_channel(flow: Flow) -> str | None:
    stores = await flow.graph.rows(Query("store", ("default_sales_channel_id",), limit=1))
    return stores[0]["default_sales_channel_id"] if stores else None


async def find_sales_channel(flow: Flow, id: str | None) -> Row | None:
    """The sales channel. Raises NotFound, and InvalidData if it is disabled."""
    if id is None:
        return None
    rows = await flow.graph.rows(Query("sales_channel", ("id", "name", "is_disabled"), {"id": id}))
    if not rows:
        raise NotFound(f"Sales channel with id: {id} was not found")
    if rows[0]["is_disabled"]:
        raise InvalidData(f"Unable to assign cart to disabled Sales Channel: {rows[0]['name']}")
    return rows[0]


@step
async def guest_of(flow: Flow, email: str) -> Row:
    """The guest with that email, created if there is none."""
    return await flow.modules.customer.guest(email)


async def find_customer(flow: Flow, customer_id: str | None, email: str | None) -> Buyer | None:
    """The customer with that id, or the guest with that email, created if there is none. Raises NotFound."""
    if customer_id is not None:
        named: list[Buyer] = await flow.graph.rows(Query("customer", CUSTOMER, {"id": customer_id}))
        if not named:
            raise NotFound(f"Customer with id: {customer_id} was not found")
        return named[0]
    if not email:
        return None
    guest = await flow.run(guest_of, email)
    if guest["is_new"]:
        return {"id": guest["id"], "email": guest["email"], "has_account": False, "groups": []}
    guests: list[Buyer] = await flow.graph.rows(Query("customer", CUSTOMER, {"id": guest["id"]}))
    return guests[0] if guests else None


def normal_email(email: str | None) -> str | None:
    """An email as it is stored and compared."""
    return folded(email.strip()) or None if email is not None else None


async def find_region(flow: Flow, id: str | None, address: Mapping[str, Any] | str | None) -> Region:
    """The region of that id, of the address's country, the store's own, or the first. Raises NotFound."""
    regions: list[Region]
    if id is not None:
        regions = await flow.graph.rows(Query("region", REGION, {"id": id}))
        if not regions:
            raise NotFound(f"Region with id: {id} was not found")
        return regions[0]
    country = address.get("country_code") if isinstance(address, Mapping) else None
    if country:
        regions = await flow.graph.rows(Query("region", REGION, {"countries": {"iso_2": str(country).strip().lower()}}, limit=1))
        if regions:
            return regions[0]
    stores = await flow.graph.rows(Query("store", ("default_region_id",), limit=1))
    default = stores[0]["default_region_id"] if stores else None
    regions = await flow.graph.rows(Query("region", REGION, {"id": default}, limit=1)) if default is not None else []
    regions = regions or await flow.graph.rows(Query("region", REGION, limit=1))  # the default one may have been deleted
    if not regions:
        raise NotFound("No regions found")
    return regions[0]


ADDRESS = ("customer_id", *FIELDS, "metadata")


async def saved_addresses(flow: Flow, customer_id: str | None, ids: Sequence[str]) -> dict[str, Row]:
    """A customer's saved addresses, by id. Raises NotFound for one that isn't theirs."""
    if not ids:
        return {}
    found: dict[str, Row] = {}
    if customer_id is not None:
        rows = await flow.modules.customer.list("customer_address", {"id": list(ids), "customer_id": customer_id}, fields=("id", *ADDRESS))
        found = {row["id"]: {name: row[name] for name in ADDRESS} for row in rows}
    for id in ids:
        if id not in found:
            raise NotFound(f"Address with id: {id} was not found")
    return found
