"""What a merchant translates, and what storefronts are shown in another language."""

from __future__ import annotations

from typing import Any

from ..ground import Api

LOCALES = [{"locale_code": code} for code in ("en-US", "de-DE", "fr-FR")]


async def run(api: Api) -> None:
    await api.admin("GET", "/locales?limit=5&order=code")
    await api.admin("GET", "/locales?q=german&order=code")
    await api.admin("GET", "/locales?code[]=de-DE&code[]=fr-FR&order=code&fields=code")
    await api.admin("GET", "/locales/pt-BR")
    await api.admin("GET", "/locales/xx-XX")
    [store] = (await api.quiet("GET", "/admin/stores"))["stores"]
    await api.post(f"/stores/{store['id']}", {"supported_locales": LOCALES})
    await api.admin("GET", f"/stores/{store['id']}?fields=*supported_locales,*supported_locales.locale,-name,-supported_currencies")
    await api.store("GET", "/locales")
    await settings(api)
    product = await goods(api)
    await written(api, product)
    await shown(api, product)
    await bought(api, product)
    await api.quiet("POST", f"/admin/stores/{store['id']}", {"supported_locales": []})


async def settings(api: Api) -> None:
    every = (await api.admin("GET", "/translations/settings"))["translation_settings"]
    await api.admin("GET", "/translations/settings?entity_type=product")
    await api.admin("GET", "/translations/settings?is_active=false")
    await api.admin("GET", "/translations/settings?entity_type=order")
    path, region = "/translations/settings/batch", every["region"]["id"]
    await api.admin("POST", path, {"update": [{"id": region, "is_active": False}]})
    await api.admin("GET", "/translations/settings?entity_type=region")
    await api.admin("POST", path, {"update": [{"id": region, "entity_type": "region", "fields": ["name"], "is_active": True}]})
    await api.admin("POST", path, {"update": [{"id": region, "fields": ["currency_code"]}]})
    await api.admin("POST", path, {"create": [{"entity_type": "order", "fields": ["email"]}]})
    await api.admin("POST", path, {"create": [{"entity_type": "region", "fields": ["name"]}]})
    await api.admin("POST", path, {"update": [{"fields": ["name"]}]})
    label = every["property_label"]["id"]
    await api.admin("POST", path, {"delete": [label]})
    await api.admin("GET", "/translations/settings?entity_type=property_label")
    await api.admin("POST", path, {"create": [{"entity_type": "property_label", "fields": ["label"]}]})
    again = (await api.admin("GET", "/translations/settings?entity_type=property_label"))["translation_settings"]["property_label"]["id"]
    await api.admin("POST", path, {"update": [{"id": again, "fields": ["label", "description"]}]})


async def goods(api: Api) -> dict[str, Any]:
    kind = await api.post("/product-types", {"value": api.fresh("type")})
    tag = await api.post("/product-tags", {"value": api.fresh("tag")})
    collection = await api.post("/collections", {"title": api.fresh("collection")})
    category = await api.own_category()
    await api.post(f"/product-categories/{category}", {"description": "All of it"})
    body = {
        "title": api.fresh("coat"),
        "subtitle": "Warm",
        "description": "A coat for winter",
        "status": "published",
        "type_id": kind["product_type"]["id"],
        "tags": [{"id": tag["product_tag"]["id"]}],
        "collection_id": collection["collection"]["id"],
        "categories": [{"id": category}],
        "options": [{"title": "Size", "values": ["Small", "Large"]}],
        "variants": [
            {"title": name, "options": {"Size": name}, "manage_inventory": False, "prices": [{"amount": 10, "currency_code": "eur"}]}
            for name in ("Small", "Large")
        ],
        "sales_channels": [{"id": api.channel}],
    }
    product: dict[str, Any] = (await api.post("/products?fields=*tags,*categories,*collection,*type", body))["product"]
    return product


def of(reference: str, id: str, locale: str = "de-DE", **texts: str) -> dict[str, Any]:
    return {"reference": reference, "reference_id": id, "locale_code": locale, "translations": texts}


async def written(api: Api, product: dict[str, Any]) -> None:
    small, large = sorted(product["variants"], key=lambda variant: str(variant["title"]), reverse=True)
    option = product["options"][0]
    values = {value["value"]: value["id"] for value in option["values"]}
    path = "/translations/batch"
    coat = of("product", product["id"], title="Mantel", subtitle="Warmer", description="Ein Mantel", handle="mantel")
    first = (await api.admin("POST", path, {"create": [coat]}))["created"][0]
    create = [
        of("product_variant", small["id"], title="Klein", material="Wolle"),
        of("product_variant", large["id"], title=""),
        of("product_option", option["id"], title="Größe"),
        of("product_option_value", values["Small"], value="Klein"),
        of("product_type", product["type_id"], value="Kleidung"),
        of("product_tag", product["tags"][0]["id"], value="Neu"),
        of("product_collection", product["collection_id"], title="Winter"),
        of("product_category", product["categories"][0]["id"], name="Alles", description="Von allem"),
        of("product", product["id"], "fr-fr", title="Manteau"),
    ]
    await api.post(path, {"create": create})
    await api.admin("POST", path, {"create": [of("product", product["id"], title="Noch einer")]})
    await api.admin("POST", path, {"create": [of("order", "order_1", title="Bestellung")]})
    await api.admin("POST", path, {"create": [{"reference": "product", "reference_id": product["id"], "locale_code": "de-AT"}]})
    await api.admin("POST", path, {"update": [{"id": first["id"], "translations": {"title": "Wintermantel", "subtitle": "Warmer"}}]})
    await api.admin("POST", path, {"update": [{"id": "trans_nothing", "translations": {"title": "x"}}]})
    await api.admin("POST", path, {"delete": ["trans_nothing"]})
    await api.admin("GET", f"/translations?reference_id={product['id']}&order=locale_code")
    await api.admin("GET", f"/translations?reference_id={product['id']}&locale_code=de-DE")
    await api.admin("GET", f"/translations?reference=product_variant&reference_id[]={small['id']}&fields=id,translations")
    await api.admin("GET", f"/translations?q=Manteau&reference_id={product['id']}&fields=*")
    await api.admin("GET", f"/translations/entities?type=product&id={product['id']}")
    await api.admin("GET", f"/translations/entities?type=product_variant&id[]={small['id']}&id[]={large['id']}&order=-title")
    await api.admin("GET", "/translations/entities?type=nothing")
    await api.admin("GET", "/translations/entities")
    fields = "fields=title,translations.id,translations.reference_id,translations.locale_code,translations.translations"
    await api.admin("GET", f"/products/{product['id']}?{fields}")
    await api.admin("GET", "/translations/statistics?locales=de-DE")
    await api.admin("GET", "/translations/statistics?locales[]=de-DE&locales[]=da-DK&entity_types=nothing")


async def shown(api: Api, product: dict[str, Any]) -> None:
    fields = "title,subtitle,description,*variants,*variants.options,*options,*options.values,*tags,*type,*collection,*categories"
    one = f"/products/{product['id']}"
    await api.store("GET", f"{one}?fields={fields}&locale=de-DE")
    await api.store("GET", f"{one}?fields={fields}&locale=de-de")
    await api.store("GET", f"{one}?fields={fields}&locale=fr-FR")
    await api.store("GET", f"{one}?fields={fields}&locale=nonsense")
    await api.store("GET", f"{one}?fields={fields}")
    await api.store("GET", f"{one}?fields=title,tags.value,tags.id,collection.title&locale=de-DE")
    await api.store("GET", f"/products?id={product['id']}&fields=title,variants.title&locale=de-DE")
    await api.store("GET", f"/product-variants?product_id={product['id']}&order=-title&fields=title&locale=de-DE")
    await api.store("GET", f"/product-types/{product['type_id']}?locale=de-DE")
    await api.store("GET", f"/product-tags/{product['tags'][0]['id']}?fields=id,value&locale=de-DE")
    await api.store("GET", f"/collections/{product['collection_id']}?locale=de-DE")
    await api.store("GET", f"/product-categories/{product['categories'][0]['id']}?fields=id,name,description&locale=de-DE")
    await api.store(
        "GET", f"/product-categories?id={product['categories'][0]['id']}&include_descendants_tree=true&fields=id,name&locale=de-DE"
    )
    setting = (await api.quiet("GET", "/admin/translations/settings?entity_type=product"))["translation_settings"]["product"]
    path = "/translations/settings/batch"
    await api.admin("POST", path, {"update": [{"id": setting["id"], "entity_type": "product", "fields": ["title"]}]})
    await api.admin("GET", "/translations/settings?entity_type=product")
    await api.store("GET", f"{one}?fields=title,subtitle&locale=de-DE")
    await api.admin("GET", f"/translations?reference_id={product['id']}&locale_code=de-DE")
    await api.admin("POST", path, {"update": [{"id": setting["id"], "fields": setting["fields"], "is_active": False}]})
    await api.store("GET", f"{one}?fields=title,subtitle&locale=de-DE")
    await api.admin("POST", path, {"update": [{"id": setting["id"], "is_active": True}]})
    await api.store("GET", f"{one}?fields=title,subtitle&locale=de-DE")


async def bought(api: Api, product: dict[str, Any]) -> None:
    shop = await api.shop(rate=25)
    await api.post(f"/products/{product['id']}", {"shipping_profile_id": shop.profile})
    rate = (await api.quiet("GET", f"/admin/tax-rates?tax_region_id={shop.tax_region}"))["tax_rates"][0]["id"]
    small, large = sorted(product["variants"], key=lambda variant: str(variant["title"]), reverse=True)
    names = (("shipping_option", shop.ship, "Paket"), ("region", shop.region, "Europa"), ("tax_rate", rate, "MwSt."))
    create = [of(kind, id, name=name) for kind, id, name in names] + [of("tax_rate", rate, "fr-FR", name="TVA")]
    await api.post("/translations/batch", {"create": create})
    await api.store("GET", f"/regions/{shop.region}?locale=de-DE&fields=id,name")
    texts = "items.title,items.product_title,items.product_subtitle,items.product_description,items.variant_title"
    fields = f"fields=locale,{texts},items.tax_lines.description,shipping_methods.name,shipping_methods.tax_lines.description"
    home = {"first_name": "Ada", "address_1": "Street 1", "city": "Town", "postal_code": "1000", "country_code": shop.country}
    body = {"region_id": shop.region, "locale": "de-DE", "email": "ada@example.com", "shipping_address": home, "billing_address": home}
    cart = (await api.store("POST", f"/carts?{fields}", {**body, "items": [{"variant_id": small["id"], "quantity": 1}]}))["cart"]
    path = f"/carts/{cart['id']}"
    await api.store("POST", f"{path}/line-items?{fields}", {"variant_id": large["id"], "quantity": 1})
    await api.store("GET", f"/shipping-options?cart_id={cart['id']}")
    await api.store("POST", f"{path}/shipping-methods?{fields}", {"option_id": shop.ship})
    await api.store("POST", f"{path}?{fields}", {"locale": "fr-FR"})
    await api.store("GET", f"{path}?{fields}&locale=de-DE")
    await api.store("POST", f"{path}?{fields}", {"locale": None})
    await api.store("POST", f"{path}?{fields}", {"locale": "de-DE"})
    collection = (await api.quiet("POST", "/store/payment-collections", {"cart_id": cart["id"]}))["payment_collection"]["id"]
    await api.quiet("POST", f"/store/payment-collections/{collection}/payment-sessions", {"provider_id": "pp_system_default"})
    await api.store("GET", f"{path}?fields=items.product_type,items.product_collection,region.name&locale=fr-FR")
    order = (await api.store("POST", f"{path}/complete?fields={texts}"))["order"]
    of_order = f"/orders/{order['id']}?{fields}"
    await api.admin("GET", of_order)
    await api.admin("GET", f"/orders/{order['id']}?fields=items.subtitle")
    await api.admin("POST", of_order, {"locale": "fr-FR"})
    await api.admin("GET", of_order)
