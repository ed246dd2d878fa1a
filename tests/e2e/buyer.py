"""A buyer: everything up to the last click, and the last click."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .served import Api
from .shop import Shop

ADDRESS = {
    "first_name": "Ada",
    "last_name": "L",
    "address_1": "Street 1",
    "city": "Copenhagen",
    "postal_code": "1000",
    "country_code": "dk",
}


@dataclass
class Buyer:
    store: Api
    shop: Shop

    async def ready(self, *variants: str) -> str:
        """Id of a cart that only has to be completed."""
        body = {"region_id": self.shop.regions["dk"], "email": "buyer@example.com", "shipping_address": ADDRESS, "billing_address": ADDRESS}
        cart = (await self.store.post("/store/carts", body))["cart"]["id"]
        for variant in variants:
            await self.store.post(f"/store/carts/{cart}/line-items", {"variant_id": variant, "quantity": 1})
        option = (await self.store.get("/store/shipping-options", cart_id=cart))["shipping_options"][0]["id"]
        await self.store.post(f"/store/carts/{cart}/shipping-methods", {"option_id": option})
        collection = (await self.store.post("/store/payment-collections", {"cart_id": cart}))["payment_collection"]["id"]
        await self.store.post(f"/store/payment-collections/{collection}/payment-sessions", {"provider_id": "pp_system_default"})
        return str(cart)

    async def complete(self, cart: str) -> tuple[int, dict[str, Any]]:
        status, answer = await self.store.raw("POST", f"/store/carts/{cart}/complete", {})
        return status, answer if isinstance(answer, dict) else {"text": answer}
