"""Taxes by country and province, for one product and one type, a rate on top of another, shipping taxed by its own rate."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    shop = await api.shop("us", "usd", rate=2)
    books, food = await api.goods(shop, "Book", {"one": 10}), await api.goods(shop, "Bread", {"one": 5})
    kind = (await api.quiet("POST", "/admin/product-types", {"value": api.fresh("Food")}))["product_type"]["id"]
    await api.quiet("POST", f"/admin/products/{food['product']}", {"type_id": kind})
    state = (
        await api.admin(
            "POST",
            "/tax-regions",
            {
                "country_code": "us",
                "province_code": "ny",
                "parent_id": shop.tax_region,
                "default_tax_rate": {"name": "New York", "code": "ny", "rate": 8, "is_combinable": True},
            },
        )
    )["tax_region"]
    await api.admin("POST", "/tax-regions", {"country_code": "us", "province_code": "ny", "parent_id": shop.tax_region})  # is there
    await api.admin("POST", "/tax-regions", {"country_code": "us"})  # no provider, no parent
    books_rate = (
        await api.admin(
            "POST",
            "/tax-rates",
            {
                "tax_region_id": state["id"],
                "name": "Books",
                "code": "books",
                "rate": 1,
                "is_combinable": False,
                "rules": [{"reference": "product", "reference_id": books["product"]}],
            },
        )
    )["tax_rate"]
    food_rate = (
        await api.admin(
            "POST",
            "/tax-rates",
            {
                "tax_region_id": shop.tax_region,
                "name": "Food",
                "code": "food",
                "rate": 0,
                "rules": [{"reference": "product_type", "reference_id": kind}],
            },
        )
    )["tax_rate"]
    await api.admin(
        "POST", "/tax-rates", {"tax_region_id": shop.tax_region, "name": "Second default", "code": "d2", "rate": 3, "is_default": True}
    )
    cart = (
        await api.store(
            "POST",
            "/carts",
            {"region_id": shop.region, "items": [{"variant_id": books["one"], "quantity": 2}, {"variant_id": food["one"], "quantity": 3}]},
        )
    )["cart"]["id"]
    await api.store("POST", f"/carts/{cart}", {"shipping_address": {"country_code": "us", "province": "ny", "postal_code": "10001"}})
    await api.store("POST", f"/carts/{cart}/shipping-methods", {"option_id": shop.ship})
    await api.admin("POST", f"/tax-rates/{books_rate['id']}", {"rate": 4, "is_combinable": True})
    await api.admin("POST", f"/tax-rates/{food_rate['id']}/rules", {"reference": "shipping_option", "reference_id": shop.ship})
    await api.store("POST", f"/carts/{cart}/taxes", {})
    await api.store("POST", f"/carts/{cart}", {"shipping_address": {"country_code": "us", "province": "ca"}})
    await api.store(
        "GET", f"/products/{books['product']}?region_id={shop.region}&country_code=us&province=ny&fields=id,*variants.calculated_price"
    )
    await api.admin("GET", f"/tax-regions?parent_id={shop.tax_region}&fields=*tax_rates,*tax_rates.rules")
    await api.admin("GET", f"/tax-rates?tax_region_id={shop.tax_region}&order=rate")
    await api.admin("GET", "/tax-regions?parent_id=null&fields=id,country_code,province_code,provider_id")
    await api.admin("DELETE", f"/tax-rates/{food_rate['id']}")
    await api.admin("DELETE", f"/tax-regions/{shop.tax_region}")
    await api.admin("GET", f"/tax-regions/{shop.tax_region}")
