"""Prices by currency, region and quantity: given, changed by id, refused, and what is charged. Preferences about taxes."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("at", "eur", rate=20)
    product = (
        await api.admin(
            "POST",
            "/products",
            {
                "title": api.fresh("Lamp"),
                "status": "published",
                "sales_channels": [{"id": api.channel}],
                "options": [{"title": "Size", "values": ["S", "L"]}],
                "variants": [
                    {
                        "title": "S",
                        "options": {"Size": "S"},
                        "manage_inventory": False,
                        "prices": [
                            {"currency_code": "eur", "amount": 10},
                            {"currency_code": "eur", "amount": 9, "min_quantity": 5, "max_quantity": 9},
                            {"currency_code": "eur", "amount": 8, "min_quantity": 10},
                            {"currency_code": "usd", "amount": 12.345},
                            {"currency_code": "eur", "amount": 11, "rules": {"region_id": shop.region}},
                        ],
                    },
                    {"title": "L", "options": {"Size": "L"}, "manage_inventory": False, "prices": []},
                ],
            },
        )
    )["product"]
    at = f"/products/{product['id']}"
    small, large = (next(v for v in product["variants"] if v["title"] == title) for title in "SL")
    look = f"/products?q={api.word}&fields=title,variants.title,*variants.calculated_price"
    await api.store("GET", f"{look}&region_id={shop.region}")
    await api.store("GET", f"{look}&region_id=reg_nothing")
    await api.store("GET", f"{look}&currency_code=usd")
    await api.store("GET", f"{look}&region_id={shop.region}&country_code=at&province=9")
    await api.store("GET", f"/products/{product['id']}?region_id={shop.region}&country_code=at&fields=title,*variants.calculated_price")
    await api.store("GET", f"/product-variants?id={small['id']}&region_id={shop.region}&fields=title,*calculated_price")
    await api.store("GET", f"/product-variants/{small['id']}?region_id={shop.region}")
    await api.admin("GET", f"{at}/variants/{small['id']}?fields=title,*prices")
    await api.admin("GET", f"{at}/variants/{small['id']}?fields=title,*prices,*prices.price_rules")
    await api.admin("GET", f"{at}/variants?fields=title,prices.amount,prices.currency_code&order=title")
    await api.admin("GET", f"/product-variants?product_id={product['id']}&fields=title,*price_set.prices&order=title")
    cart = (await api.store("POST", "/carts", {"region_id": shop.region}))["cart"]["id"]
    line = (await api.store("POST", f"/carts/{cart}/line-items", {"variant_id": small["id"], "quantity": 4}))["cart"]["items"][0]["id"]
    await api.store("POST", f"/carts/{cart}/line-items/{line}", {"quantity": 5})
    await api.store("POST", f"/carts/{cart}/line-items/{line}", {"quantity": 12})
    await api.store("POST", f"/carts/{cart}/line-items", {"variant_id": large["id"], "quantity": 1})
    eur = next(p for p in small["prices"] if p["currency_code"] == "eur" and p["amount"] == 10)

    def edit(prices):
        return api.admin("POST", f"{at}/variants/{small['id']}?fields=*variants,*variants.prices", {"prices": prices})

    await edit([{"id": eur["id"], "currency_code": "eur", "amount": 13}])
    await edit([{"currency_code": "eur", "amount": 14}])
    await edit([{"currency_code": "eur", "amount": 14}, {"currency_code": "eur", "amount": 15}])
    await edit([{"currency_code": "xxx", "amount": 14}])
    await edit([{"currency_code": "EUR", "amount": 14.5}])
    await edit([{"currency_code": "eur", "amount": "14"}])
    await edit([{"id": "price_nothing", "currency_code": "eur", "amount": 14}])
    await edit([{"currency_code": "eur", "amount": 14, "min_quantity": 10, "max_quantity": 5}])
    await edit([{"currency_code": "eur", "amount": 14, "rules": {"region_id": "reg_nothing"}}])
    await edit([])
    preference = (
        await api.admin("POST", "/price-preferences", {"attribute": "region_id", "value": api.fresh("r"), "is_tax_inclusive": True})
    )["price_preference"]["id"]
    await api.admin("POST", "/price-preferences", {"attribute": "region_id", "value": api.fresh("r"), "is_tax_inclusive": False})
    await api.admin("POST", "/price-preferences", {"attribute": "region_id"})
    await api.admin("POST", "/price-preferences", {"attribute": "region_id", "value": api.fresh("s"), "is_tax_inclusive": "yes"})
    await api.admin("POST", f"/price-preferences/{preference}", {"is_tax_inclusive": False})
    await api.admin("GET", f"/price-preferences?value={api.fresh('r')}")
    await api.admin("GET", f"/price-preferences?attribute=region_id&value[]={api.fresh('r')}&fields=value")
    await api.admin("GET", "/price-preferences/prpref_nothing")
    await api.admin("POST", "/price-preferences/prpref_nothing", {"is_tax_inclusive": False})
    await api.admin("DELETE", f"/price-preferences/{preference}")
    await api.admin("DELETE", "/price-preferences/prpref_nothing")
    await api.admin("POST", f"/regions/{shop.region}", {"is_tax_inclusive": True})
    await api.admin("GET", f"/price-preferences?value={shop.region}")
    await api.store("GET", f"{look}&region_id={shop.region}&country_code=at")
