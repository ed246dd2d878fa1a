"""Orders in the state in which a test begins to click: bought, paid and sent over the HTTP API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..e2e.buyer import ADDRESS
from ..e2e.served import Api
from ..e2e.shop import Shop, sell
from .images import Colour, address_of


@dataclass(frozen=True)
class Good:
    """What is sold. Prices are in euros and pounds, in Denmark with 25 % of tax."""

    kind: str
    price: float
    colour: Colour


GOODS = {
    "storm lantern": Good("Brass", 80, (234, 88, 12)),
    "ash oar": Good("2.4 m", 45, (146, 104, 41)),
    "deck brush": Good("Stiff", 12.5, (30, 64, 175)),
    "signal flag": Good("Kilo", 20, (190, 18, 60)),
}
FIELDS = "*items,*items.detail,*fulfillments,*payment_collections.payments,+summary,*shipping_methods,*shipping_address,*billing_address"


@dataclass
class Orders:
    """A shop's orders, and the goods that are in them."""

    admin: Api
    store: Api
    shop: Shop
    goods: dict[str, dict[str, Any]]
    """Products by their handles."""

    @classmethod
    async def open(cls, admin: Api, store: Api, shop: Shop) -> Orders:
        """Put the goods on sale, and let parcels come back for € 5."""
        goods = {}
        for name, good in GOODS.items():
            prices = {"eur": good.price, "gbp": good.price}
            product = await sell(admin, shop, name.replace(" ", "-"), prices, stock=100, kinds=[good.kind])
            image = address_of(good.colour)
            await admin.post(f"/admin/products/{product['id']}", {"title": name.capitalize(), "thumbnail": image})
            goods[name] = product
        await admin.post(
            "/admin/shipping-options",
            {
                "name": "Return parcel",
                "price_type": "flat",
                "provider_id": "manual_manual",
                "service_zone_id": shop.zone,
                "shipping_profile_id": shop.profile,
                "type": {"label": "Return", "description": "By post", "code": "return"},
                "prices": [{"currency_code": "eur", "amount": 5}, {"currency_code": "gbp", "amount": 5}],
                "rules": [
                    {"attribute": "enabled_in_store", "value": "true", "operator": "eq"},
                    {"attribute": "is_return", "value": "true", "operator": "eq"},
                ],
            },
        )
        return cls(admin, store, shop, goods)

    def variant(self, name: str) -> str:
        """Id of the one variant of what is called that."""
        return str(self.goods[name]["variants"][0]["id"])

    async def stock(self, name: str) -> tuple[int, int]:
        """How many of these lie in the warehouse, and how many of those are promised."""
        [item] = (await self.admin.get("/admin/inventory-items", sku=f"{name.replace(' ', '-')}-0"))["inventory_items"]
        [level] = item["location_levels"]
        return level["stocked_quantity"], level["reserved_quantity"]

    async def bought(self, lines: dict[str, int], *, email: str = "ada@example.com", promotion: str | None = None) -> dict[str, Any]:
        """An order of these goods from Denmark, sent for € 10; its payment is authorized."""
        body: dict[str, Any] = {"region_id": self.shop.regions["dk"], "email": email}
        body |= {"shipping_address": ADDRESS, "billing_address": ADDRESS}
        if promotion is not None:
            body["promo_codes"] = [promotion]
        body["items"] = [{"variant_id": self.variant(name), "quantity": quantity} for name, quantity in lines.items()]
        cart = (await self.store.post("/store/carts", body))["cart"]["id"]
        options = (await self.store.get("/store/shipping-options", cart_id=cart))["shipping_options"]
        [standard] = [option["id"] for option in options if option["name"] == "Standard"]
        await self.store.post(f"/store/carts/{cart}/shipping-methods", {"option_id": standard})
        collection = (await self.store.post("/store/payment-collections", {"cart_id": cart}))["payment_collection"]["id"]
        await self.store.post(f"/store/payment-collections/{collection}/payment-sessions", {"provider_id": "pp_system_default"})
        answer = await self.store.post(f"/store/carts/{cart}/complete", {})
        return await self.get(answer["order"]["id"])

    async def captured(self, lines: dict[str, int], **options: Any) -> dict[str, Any]:
        """An order that is paid."""
        order = await self.bought(lines, **options)
        for payment in order["payment_collections"][0]["payments"]:
            await self.admin.post(f"/admin/payments/{payment['id']}/capture", {})
        return await self.get(order["id"])

    async def delivered(self, lines: dict[str, int], **options: Any) -> dict[str, Any]:
        """An order that is paid, and whose goods the customer has."""
        order = await self.captured(lines, **options)
        items = [{"id": item["id"], "quantity": item["quantity"]} for item in order["items"]]
        path = f"/admin/orders/{order['id']}/fulfillments"
        await self.admin.post(path, {"location_id": self.shop.location, "items": items})
        [fulfillment] = (await self.get(order["id"]))["fulfillments"]
        await self.admin.post(f"{path}/{fulfillment['id']}/shipments", {"items": items, "labels": []})
        await self.admin.post(f"{path}/{fulfillment['id']}/mark-as-delivered", {})
        return await self.get(order["id"])

    async def account(self, email: str, first: str, last: str) -> None:
        """A customer who can sign in."""
        guest = Api(self.store.session, self.store.base)
        token = (await guest.post("/auth/customer/emailpass/register", {"email": email, "password": "supersecret"}))["token"]
        signed_in = Api(self.store.session, self.store.base, self.store.headers | {"authorization": f"Bearer {token}"})
        await signed_in.post("/store/customers", {"email": email, "first_name": first, "last_name": last})

    async def get(self, order: str, fields: str = FIELDS) -> dict[str, Any]:
        """The order as the API has it."""
        got: dict[str, Any] = (await self.admin.get(f"/admin/orders/{order}", fields=fields))["order"]
        return got

    async def line(self, order: str, name: str) -> dict[str, Any]:
        """The one line of an order with what is called that."""
        [line] = [item for item in (await self.get(order))["items"] if item["variant_id"] == self.variant(name)]
        assert isinstance(line, dict)
        return line
