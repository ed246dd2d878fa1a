"""The merchant's part of a walk through the whole API: a shop is opened, and stocked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pyotp

from velella.actors.host import Host
from velella.core.ids import ulid
from velella.http.server.front import FrontEnd
from velella.modules.auth.verifications import code_hash

from .api import Api

PASSWORD = "correct horse battery"
ADDRESS = {"first_name": "Ada", "last_name": "L", "address_1": "Quay 7", "city": "Town", "postal_code": "1000", "country_code": "de"}

HOOKED = {"additional_data": {"gift": True}}
"""What a body may have for the workflow's hooks."""


@dataclass
class Shop:
    """The clients of the walk, and the ids of what has been created so far."""

    host: Host
    admin: Api
    store: Api
    guest: Api
    """An anonymous client, without a publishable key."""
    user: str
    """A user besides the walk's own."""
    ids: dict[str, str] = field(default_factory=dict)
    variants: list[str] = field(default_factory=list)
    grace: Api = field(init=False)
    """The user, logged in."""
    buyer: Api = field(init=False)
    """A customer, logged in."""


async def open_shop(shop: Shop) -> None:
    for area in (
        users,
        markets,
        files,
        factors,
        catalogue,
        products,
        price_lists,
        promotions,
        stock,
        shipping,
        taxes,
        reasons,
        dashboard,
        translations,
        search,
    ):
        await area(shop)


async def users(shop: Shop) -> None:
    admin = shop.admin
    await admin.get("/admin/users")
    await admin.get("/admin/users/me")
    await admin.get("/admin/users/{id}", id=shop.user)
    await admin.post("/admin/users/{id}", {"first_name": "Grace"}, id=shop.user)
    await admin.get("/admin/users/{id}/auth-providers", id=shop.user)

    key = (await admin.post("/admin/api-keys", {"title": "Tool", "type": "secret"}))["api_key"]["id"]
    await admin.post("/admin/api-keys/{id}", {"title": "Tools"}, id=key)
    await admin.get("/admin/api-keys/{id}", id=key)
    await admin.post("/admin/api-keys/{id}/revoke", id=key)
    await admin.delete("/admin/api-keys/{id}", id=key)


async def markets(shop: Shop) -> None:
    admin, store, ids = shop.admin, shop.store, shop.ids
    ids["store"] = (await admin.get("/admin/stores"))["stores"][0]["id"]
    await admin.get("/admin/stores/{id}", id=ids["store"])
    currencies = [{"currency_code": "eur", "is_default": True, "is_tax_inclusive": True}, {"currency_code": "usd"}]
    await admin.post("/admin/stores/{id}", {"supported_currencies": currencies}, id=ids["store"])
    for side, prefix in ((admin, "/admin"), (store, "/store")):
        await side.get(f"{prefix}/currencies")
        await side.get(f"{prefix}/currencies/{{code}}", code="eur")

    region = {
        "name": "Europe",
        "currency_code": "eur",
        "countries": ["de", "fr"],
        "payment_providers": ["pp_system_default", "pp_packet_p"],
    }
    ids["region"] = (await admin.post("/admin/regions", region))["region"]["id"]
    await admin.post("/admin/regions/{id}", {"metadata": {"a": 1}}, id=ids["region"])
    for side, prefix in ((admin, "/admin"), (store, "/store")):
        await side.get(f"{prefix}/regions")
        await side.get(f"{prefix}/regions/{{id}}", id=ids["region"])

    preference = {"attribute": "currency_code", "value": "jpy", "is_tax_inclusive": True}
    kept = (await admin.post("/admin/price-preferences", preference))["price_preference"]["id"]
    await admin.get("/admin/price-preferences")
    await admin.get("/admin/price-preferences/{id}", id=kept)
    await admin.post("/admin/price-preferences/{id}", {"is_tax_inclusive": False}, id=kept)

    ids["channel"] = (await admin.get("/admin/sales-channels"))["sales_channels"][0]["id"]
    ids["other channel"] = (await admin.post("/admin/sales-channels", {"name": "Fair"}))["sales_channel"]["id"]
    await admin.get("/admin/sales-channels/{id}", id=ids["channel"])
    await admin.post("/admin/sales-channels/{id}", {"description": "Once a year"}, id=ids["other channel"])
    keys = (await admin.get("/admin/api-keys", {"type": "publishable"}))["api_keys"]
    await admin.post("/admin/api-keys/{id}/sales-channels", {"add": [ids["channel"]]}, id=keys[0]["id"])


async def files(shop: Shop) -> None:
    admin = shop.admin
    form = aiohttp.FormData()
    form.add_field("files", b"\x89PNG", filename="sail.png", content_type="image/png")
    kept = (await admin.upload("/admin/uploads", form))["files"][0]["id"]
    await admin.get("/admin/uploads/{id}", id=kept)
    await admin.delete("/admin/uploads/{id}", id=kept)
    await admin.post("/admin/uploads/presigned-urls", {"originalname": "products.csv", "mime_type": "text/csv", "size": 10})
    for what in ("products", "orders", "inventory-items"):
        await admin.post(f"/admin/{what}/export")
    lines = b"Product Handle,Product Title,Variant Title,Variant Option 1 Name,Variant Option 1 Value\nbuoy,Buoy,One,Size,M\n"
    kept = (await admin.upload("/admin/uploads", _csv("files", lines)))["files"][0]["id"]
    about = {"file_key": kept, "originalname": "buoys.csv", "extension": "csv", "size": len(lines), "mime_type": "text/csv"}
    begun = (await admin.post("/admin/products/imports", about))["transaction_id"]
    await admin.post("/admin/products/imports/{transaction_id}/confirm", transaction_id=begun)
    lines = lines.replace(b"uoy", b"ell")
    begun = (await admin.upload("/admin/products/import", _csv("file", lines)))["transaction_id"]
    await admin.post("/admin/products/import/{transaction_id}/confirm", transaction_id=begun)


def _csv(field: str, lines: bytes) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field(field, lines, filename="products.csv", content_type="text/csv")
    return form


async def factors(shop: Shop) -> None:
    """A second factor of a user of its own: whoever has one is asked for it."""
    guest, ids = shop.guest, {"actor_type": "user", "auth_provider": "emailpass"}
    login = {"email": "factor@example.com", "password": PASSWORD}
    token = (await guest.post("/auth/{actor_type}/{auth_provider}/register", login, **ids))["token"]
    user = guest.as_(authorization=f"Bearer {token}")
    begun = await user.post("/auth/mfa/factors", {"provider": "totp", "label": "factor@example.com"})
    id, code = begun["mfa_factor"]["id"], pyotp.TOTP(begun["secret"]).now()
    await user.post("/auth/mfa/factors/{id}/verify", {"code": code}, id=id)
    codes = (await user.post("/auth/mfa/recovery-codes"))["recovery_codes"]
    await user.get("/auth/mfa/factors")
    answer = (await guest.raw("POST", "/auth/user/emailpass", login)).json
    assert set(answer) == {"mfa_required", "mfa_challenge", "token"}
    halfway = guest.as_(authorization=f"Bearer {answer['token']}")
    given = {"method": "recovery_code", "code": codes[0]}
    await halfway.post("/auth/mfa/challenges/{id}/verify", given, id=answer["mfa_challenge"]["id"])
    await user.delete("/auth/mfa/factors/{id}", id=id)
    await user.post("/auth/verification/request", {"entity_id": "factor@example.com", "entity_type": "email"})
    identity, auth = begun["mfa_factor"]["auth_identity_id"], shop.host.modules.auth
    await auth.request_verification(identity, "factor@example.com", "email", "token", code_hash("known"), None)
    await guest.post("/auth/verification/confirm", {"code": "known"})
    vouched = {"entity_id": "1", "verified_email": "grace@example.com"}
    await auth.create("provider_identity", [{"auth_identity_id": identity, "provider": "elsewhere", **vouched}])
    front = shop.host.services["http"]
    assert isinstance(front, FrontEnd)
    token = front.tokens.issue({**(front.tokens.read(token) or {}), "auth_provider": "elsewhere"})
    await guest.as_(authorization=f"Bearer {token}").post("/auth/{auth_provider}/user", auth_provider="elsewhere")


async def catalogue(shop: Shop) -> None:
    """Groups of products: created, changed, and read from both sides."""
    admin, store, ids = shop.admin, shop.store, shop.ids
    for plural, key, body, change in (
        ("collections", "collection", {"title": "Summer"}, {"title": "Winter"}),
        ("product-tags", "product_tag", {"value": "new"}, {"value": "old"}),
        ("product-types", "product_type", {"value": "Shirt"}, {"metadata": {"a": 1}}),
        ("product-categories", "product_category", {"name": "Shirts", "is_active": True}, {"description": "With sleeves"}),
    ):
        ids[key] = (await admin.post(f"/admin/{plural}", body))[key]["id"]
        await admin.post(f"/admin/{plural}/{{id}}", change, id=ids[key])
        for side, prefix in ((admin, "/admin"), (store, "/store")):
            await side.get(f"{prefix}/{plural}")
            await side.get(f"{prefix}/{plural}/{{id}}", id=ids[key])
    child = {"name": "Polo", "is_active": True, "parent_category_id": ids["product_category"]}
    await admin.post("/admin/product-categories", child)
    await store.get("/store/product-categories", {"include_descendants_tree": "true"})

    option = {"title": "Fabric", "values": ["Wool", "Linen"], "ranks": {"Linen": 0, "Wool": 1}}
    made = (await admin.post("/admin/product-options", option))["product_option"]
    ids["option"], ids["value"] = made["id"], made["values"][0]["id"]
    await admin.get("/admin/product-options")
    await store.get("/store/product-options")
    await store.get("/store/product-options/{id}", id=ids["option"])
    await admin.get("/admin/product-options/{id}", id=ids["option"])
    await admin.post("/admin/product-options/{id}", {"values": ["Wool", "Linen", "Silk", "Felt"]}, id=ids["option"])
    values = (await admin.get("/admin/product-options/{id}/values", id=ids["option"]))["product_option_values"]
    felt = next(value["id"] for value in values if value["value"] == "Felt")
    await admin.get("/admin/product-options/{id}/values/{value_id}", id=ids["option"], value_id=felt)
    await admin.post("/admin/product-options/{id}/values/{value_id}", {"value": "Tweed"}, id=ids["option"], value_id=felt)
    await admin.delete("/admin/product-options/{id}/values/{value_id}", id=ids["option"], value_id=felt)


def variant(size: str, **more: Any) -> dict[str, Any]:
    prices = [{"currency_code": "eur", "amount": 19.95}, {"currency_code": "usd", "amount": 22, "min_quantity": 1}]
    return {"title": size, "sku": ulid(), "options": {"Size": size}, "prices": prices, **more}


async def products(shop: Shop) -> None:
    admin, store, ids = shop.admin, shop.store, shop.ids
    profile = (await admin.get("/admin/shipping-profiles"))["shipping_profiles"][0]["id"]
    ids["profile"] = profile
    body = {
        "title": "Sail Shirt",
        "status": "published",
        "options": [{"title": "Size", "values": ["S", "M", "L", "XL"]}],
        "variants": [variant("S"), variant("M")],
        "images": [{"url": "https://shop.example/1.png"}, {"url": "https://shop.example/2.png"}],
        "type_id": ids["product_type"],
        "collection_id": ids["collection"],
        "tags": [{"id": ids["product_tag"]}],
        "categories": [{"id": ids["product_category"]}],
        "sales_channels": [{"id": ids["channel"]}],
        "shipping_profile_id": profile,
        **HOOKED,
    }
    made = (await admin.post("/admin/products", body))["product"]
    product = ids["product"] = made["id"]
    shop.variants = [each["id"] for each in made["variants"]]
    first, image = shop.variants[0], made["images"][0]["id"]
    await admin.get("/admin/products")
    await admin.get("/admin/products/{id}", id=product)
    await admin.post("/admin/products/{id}", {"subtitle": "Heavy cotton", **HOOKED}, id=product)
    await admin.get("/admin/products/{id}/options", id=product)
    add = [{"id": ids["option"], "value_ids": [ids["value"]]}, {"title": "Fit", "values": ["Loose"]}]
    grown = await admin.post("/admin/products/{id}/options/batch", {"add": add}, id=product)
    gone = [each["id"] for each in grown["product"]["options"] if each["title"] != "Size"]
    await admin.post("/admin/products/{id}/options/batch", {"remove": gone}, id=product)

    await admin.post("/admin/products/{id}/variants", variant("L", **HOOKED), id=product)
    await admin.get("/admin/product-variants")
    listed = (await admin.get("/admin/products/{id}/variants", id=product))["variants"]
    large = next(each["id"] for each in listed if each["title"] == "L")
    await admin.get("/admin/products/{id}/variants/{variant_id}", id=product, variant_id=large)
    await admin.post("/admin/products/{id}/variants/{variant_id}", {"barcode": "4711", **HOOKED}, id=product, variant_id=large)
    await admin.delete("/admin/products/{id}/variants/{variant_id}", id=product, variant_id=large)
    await admin.post(
        "/admin/products/{id}/variants/batch",
        {"create": [variant("XL", manage_inventory=False)], "update": [{"id": first, "material": "Cotton"}]},
        id=product,
    )
    await admin.post("/admin/products/{id}/variants/{variant_id}/images/batch", {"add": [image]}, id=product, variant_id=first)
    await admin.post("/admin/products/{id}/images/{image_id}/variants/batch", {"remove": [first]}, id=product, image_id=image)

    batch = {
        "create": [{"title": "Mug", "options": [{"title": "Edition", "values": ["One"]}]}],
        "update": [{"id": product, "weight": 400}],
    }
    done = await admin.post("/admin/products/batch", batch)
    mug = done["created"][0]["id"]
    await admin.post("/admin/collections/{id}/products", {"add": [mug]}, id=ids["collection"])
    await admin.post("/admin/product-categories/{id}/products", {"add": [mug]}, id=ids["product_category"])
    await admin.post("/admin/sales-channels/{id}/products", {"add": [mug]}, id=ids["other channel"])
    await admin.delete("/admin/products/{id}", id=mug)

    await store.get("/store/products", {"region_id": ids["region"]})
    await store.get("/store/products/{id}", id=product)
    await store.get("/store/product-variants")
    await store.get("/store/product-variants/{id}", id=first)


async def price_lists(shop: Shop) -> None:
    admin, (first, second, *_) = shop.admin, shop.variants
    price = {"currency_code": "eur", "amount": 17, "rules": {"region_id": shop.ids["region"]}}
    body = {
        "title": "Clearance",
        "description": "Until it is gone",
        "rules": {"customer.groups.id": ["cusgroup_none"]},
        "prices": [{**price, "variant_id": first}, {**price, "variant_id": second}],
    }
    made = (await admin.post("/admin/price-lists", body))["price_list"]["id"]
    await admin.get("/admin/price-lists")
    await admin.get("/admin/price-lists/{id}", id=made)
    await admin.post("/admin/price-lists/{id}", {"status": "active"}, id=made)
    there = (await admin.get("/admin/price-lists/{id}/prices", id=made))["prices"]
    batch = {
        "create": [{"currency_code": "usd", "amount": 16, "variant_id": first}],
        "update": [{"id": there[0]["id"], "variant_id": first, "amount": 15}],
        "delete": [there[1]["id"]],
    }
    await admin.post("/admin/price-lists/{id}/prices/batch", batch, id=made)
    await admin.post("/admin/price-lists/{id}/products", {"remove": [shop.ids["product"]]}, id=made)
    await admin.delete("/admin/price-lists/{id}", id=made)
    await admin.post("/admin/price-lists", body)  # one that stays


async def promotions(shop: Shop) -> None:
    admin = shop.admin
    budget = {"type": "spend", "currency_code": "eur", "limit": 100}
    campaign = (await admin.post("/admin/campaigns", {"name": "Sale", "campaign_identifier": "sale", "budget": budget}))["campaign"]["id"]
    rule = {"attribute": "items.product.id", "operator": "in", "values": [shop.ids["product"]]}
    method = {"type": "fixed", "currency_code": "eur", "value": 1, "target_type": "items", "allocation": "each", "max_quantity": 1}
    quantities = {"buy_rules": [rule], "buy_rules_min_quantity": 1, "apply_to_quantity": 1}
    body = {"code": "WALK", "type": "buyget", "application_method": {**method, **quantities, "target_rules": [rule]}}
    body["rules"] = [{"attribute": "region_id", "operator": "ne", "values": "reg_none"}]
    made = (await admin.post("/admin/promotions", body))["promotion"]["id"]
    await admin.post("/admin/campaigns/{id}/promotions", {"add": [made]}, id=campaign)
    await admin.get("/admin/promotions")
    await admin.get("/admin/promotions/{id}", id=made)
    await admin.post("/admin/promotions/{id}", {"metadata": {"a": 1}}, id=made)
    for kind in ("rules", "target-rules", "buy-rules"):
        await admin.get("/admin/promotions/{id}/{rule_type}", id=made, rule_type=kind)
        done = await admin.post(f"/admin/promotions/{{id}}/{kind}/batch", {"create": [rule]}, id=made)
        change = {"update": [{"id": done["created"][0]["id"], "values": ["prod_other"]}]}
        await admin.post(f"/admin/promotions/{{id}}/{kind}/batch", change, id=made)
    await admin.get("/admin/promotions/rule-attribute-options/{rule_type}", rule_type="rules")
    await admin.get("/admin/promotions/rule-value-options/{rule_type}/{rule_attribute_id}", rule_type="rules", rule_attribute_id="region")
    await admin.get("/admin/campaigns")
    await admin.get("/admin/campaigns/{id}", id=campaign)
    await admin.post("/admin/campaigns/{id}", {"name": "Sales"}, id=campaign)
    await admin.delete("/admin/promotions/{id}", id=made)
    await admin.delete("/admin/campaigns/{id}", id=campaign)
    await admin.post("/admin/campaigns", {"name": "Sale", "campaign_identifier": "next sale", "budget": budget})


async def reasons(shop: Shop) -> None:
    admin, store = shop.admin, shop.store
    reason = {"value": "size", "label": "Doesn't fit"}
    made = shop.ids["return_reason"] = (await admin.post("/admin/return-reasons", reason))["return_reason"]["id"]
    finer = {"value": "small", "label": "Too small", "parent_return_reason_id": made}
    spare = (await admin.post("/admin/return-reasons", finer))["return_reason"]["id"]
    await admin.post("/admin/return-reasons/{id}", {"value": "size", "label": "Size"}, id=made)
    for side, prefix in ((admin, "/admin"), (store, "/store")):
        await side.get(f"{prefix}/return-reasons")
        await side.get(f"{prefix}/return-reasons/{{id}}", id=made)
    await admin.delete("/admin/return-reasons/{id}", id=spare)


async def dashboard(shop: Shop) -> None:
    admin = shop.admin
    await shop.guest.get("/admin/feature-flags")
    await admin.get("/admin/plugins")
    layout = {"configuration": {"widgets": {"orders": {"hidden": True, "order": 2}}}}
    await admin.get("/admin/layouts/{zone}/configuration", zone="order.list")
    await admin.post("/admin/layouts/{zone}/configuration", layout, zone="order.list")
    await admin.get("/admin/layouts/configurations")
    await admin.delete("/admin/layouts/{zone}/configuration", zone="order.list")

    label = {"entity": "product", "property": "material", "label": "Cloth"}
    made = (await admin.post("/admin/property-labels", label))["property_label"]["id"]
    await admin.get("/admin/property-labels")
    await admin.get("/admin/property-labels/{id}", id=made)
    await admin.post("/admin/property-labels/{id}", {"description": "What it is made of"}, id=made)
    batch = {"create": [{**label, "property": "weight"}], "update": [{"id": made, "label": "Fabric"}]}
    await admin.post("/admin/property-labels/batch", batch)
    await admin.delete("/admin/property-labels/{id}", id=made)

    await admin.get("/admin/index/details")
    await admin.post("/admin/index/sync", {"strategy": "full"})
    await admin.get("/admin/views/entities")
    await admin.get("/admin/views/{entity}/columns", entity="orders")
    view = {"name": "Mine", "configuration": {"visible_columns": ["total"], "column_order": ["total"]}}
    made = (await admin.post("/admin/views/{entity}/configurations", view, entity="orders"))["view_configuration"]["id"]
    await admin.get("/admin/views/{entity}/configurations", entity="orders")
    await admin.get("/admin/views/{entity}/configurations/{id}", entity="orders", id=made)
    await admin.post("/admin/views/{entity}/configurations/{id}", {"name": "Ours"}, entity="orders", id=made)
    await admin.post("/admin/views/{entity}/configurations/active", {"view_configuration_id": made}, entity="orders")
    await admin.get("/admin/views/{entity}/configurations/active", entity="orders")
    await admin.delete("/admin/views/{entity}/configurations/{id}", entity="orders", id=made)
    shop.ids["view"] = (await admin.post("/admin/views/{entity}/configurations", view, entity="orders"))["view_configuration"]["id"]


async def translations(shop: Shop) -> None:
    admin, store, ids = shop.admin, shop.store, shop.ids
    await admin.get("/admin/locales")
    await admin.get("/admin/locales/{code}", code="de-DE")
    await admin.post("/admin/stores/{id}", {"supported_locales": [{"locale_code": "de-DE"}]}, id=ids["store"])
    await store.get("/store/locales")
    said = {"reference": "product", "reference_id": ids["product"], "locale_code": "de-DE", "translations": {"title": "Segel"}}
    made = (await admin.post("/admin/translations/batch", {"create": [said]}))["created"][0]["id"]
    await admin.post("/admin/translations/batch", {"update": [{"id": made, "translations": {"title": "Ein Segel"}}]})
    await admin.get("/admin/translations")
    await admin.get("/admin/translations/entities", {"type": "product"})
    await admin.get("/admin/translations/statistics", {"locales": "de-DE", "entity_types": "product"})
    settings = (await admin.get("/admin/translations/settings"))["translation_settings"]["product"]
    await admin.post("/admin/translations/settings/batch", {"update": [{"id": settings["id"], "is_active": True}]})


async def search(shop: Shop) -> None:
    admin = shop.admin
    await admin.get("/admin/search-indexes")
    await admin.get("/admin/search", {"q": "sail"})
    await until_built(shop)
    await shop.store.post("/store/search", {"entity": "product", "filters": {"q": "sail"}})
    await admin.delete("/admin/search-indexes/{id}", id="product")
    await admin.post("/admin/search-indexes/{id}/reindex", {"strategy": "swap"}, id="product")
    await until_built(shop)


async def until_built(shop: Shop) -> None:
    async with asyncio.timeout(30):
        while not await shop.host.modules.search.is_built("product"):
            await asyncio.sleep(0.1)


async def stock(shop: Shop) -> None:
    admin, ids, product, first = shop.admin, shop.ids, shop.ids["product"], shop.variants[0]
    place = {"name": "Warehouse", "address": {"address_1": "Quay 7", "country_code": "de"}}
    ids["location"] = (await admin.post("/admin/stock-locations", place))["stock_location"]["id"]
    ids["spare location"] = (await admin.post("/admin/stock-locations", {"name": "Shed"}))["stock_location"]["id"]
    await admin.get("/admin/stock-locations")
    await admin.get("/admin/stock-locations/{id}", id=ids["location"])
    await admin.post("/admin/stock-locations/{id}", {"metadata": {"a": 1}}, id=ids["location"])
    await admin.post("/admin/stock-locations/{id}/sales-channels", {"add": [ids["channel"]]}, id=ids["location"])

    new = {"sku": ulid(), "location_levels": [{"location_id": ids["location"], "stocked_quantity": 7}]}
    item = ids["item"] = (await admin.post("/admin/inventory-items", new))["inventory_item"]["id"]
    await admin.get("/admin/inventory-items")
    await admin.get("/admin/inventory-items/{id}", id=item)
    await admin.post("/admin/inventory-items/{id}", {"title": "Button"}, id=item)
    await admin.get("/admin/inventory-items/{id}/location-levels", id=item)
    levels = "/admin/inventory-items/{id}/location-levels"
    await admin.post(levels, {"location_id": ids["spare location"], "stocked_quantity": 0}, id=item)
    await admin.delete(f"{levels}/{{location_id}}", id=item, location_id=ids["spare location"])
    await admin.post(f"{levels}/{{location_id}}", {"stocked_quantity": 9}, id=item, location_id=ids["location"])
    await admin.post(f"{levels}/batch", {"update": [{"location_id": ids["location"], "incoming_quantity": 2}]}, id=item)
    owned = (await admin.get("/admin/inventory-items"))["inventory_items"]
    bare = [
        {"inventory_item_id": each["id"], "location_id": ids["location"], "stocked_quantity": 100} for each in owned if each["id"] != item
    ]
    await admin.post("/admin/inventory-items/location-levels/batch", {"create": bare})

    needs = "/admin/products/{id}/variants/{variant_id}/inventory-items"
    await admin.post(needs, {"inventory_item_id": item, "required_quantity": 2}, id=product, variant_id=first)
    at = {"id": product, "variant_id": first, "inventory_item_id": item}
    await admin.post(f"{needs}/{{inventory_item_id}}", {"required_quantity": 3}, **at)
    await admin.delete(f"{needs}/{{inventory_item_id}}", **at)
    pair = {"variant_id": first, "inventory_item_id": item}
    await admin.post("/admin/products/{id}/variants/inventory-items/batch", {"create": [{**pair, "required_quantity": 1}]}, id=product)
    await admin.post("/admin/products/{id}/variants/inventory-items/batch", {"delete": [pair]}, id=product)

    hold = {"location_id": ids["location"], "inventory_item_id": item, "quantity": 1}
    reservation = (await admin.post("/admin/reservations", hold))["reservation"]["id"]
    await admin.get("/admin/reservations")
    await admin.get("/admin/reservations/{id}", id=reservation)
    await admin.post("/admin/reservations/{id}", {"quantity": 2}, id=reservation)
    await admin.delete("/admin/reservations/{id}", id=reservation)


async def shipping(shop: Shop) -> None:
    admin, ids = shop.admin, shop.ids
    await admin.get("/admin/fulfillment-providers")
    await admin.get("/admin/fulfillment-providers/{id}/options", id="manual_manual")
    await admin.post("/admin/stock-locations/{id}/fulfillment-providers", {"add": ["manual_manual", "reckoner_r"]}, id=ids["location"])
    path, shown = "/admin/stock-locations/{id}/fulfillment-sets", {"fields": "*fulfillment_sets"}
    await admin.post(path, {"name": "Post", "type": "shipping"}, id=ids["location"])
    await admin.post(path, {"name": "Pick-up", "type": "pickup"}, id=ids["spare location"])
    for place, name in (("location", "set"), ("spare location", "spare set")):
        row = (await admin.raw("GET", f"/admin/stock-locations/{ids[place]}", params=shown)).json["stock_location"]
        ids[name] = row["fulfillment_sets"][0]["id"]

    zones = "/admin/fulfillment-sets/{id}/service-zones"
    zone = {"name": "Germany", "geo_zones": [{"type": "country", "country_code": "de"}]}
    made = (await admin.post(zones, zone, id=ids["set"]))["fulfillment_set"]["service_zones"][0]["id"]
    await admin.post(zones, {"name": "Nowhere"}, id=ids["set"])
    await admin.get(f"{zones}/{{zone_id}}", id=ids["set"], zone_id=made)
    changed = await admin.post(f"{zones}/{{zone_id}}", {"name": "Near"}, id=ids["set"], zone_id=made)
    spare = next(each["id"] for each in changed["fulfillment_set"]["service_zones"] if each["name"] == "Nowhere")
    await admin.delete(f"{zones}/{{zone_id}}", id=ids["set"], zone_id=spare)

    profile = (await admin.post("/admin/shipping-profiles", {"name": "Bulky", "type": "bulky"}))["shipping_profile"]["id"]
    await admin.get("/admin/shipping-profiles/{id}", id=profile)
    await admin.post("/admin/shipping-profiles/{id}", {"name": "Very bulky"}, id=profile)
    await admin.delete("/admin/shipping-profiles/{id}", id=profile)
    kind = (await admin.post("/admin/shipping-option-types", {"label": "Fast", "code": "fast"}))["shipping_option_type"]["id"]
    await admin.get("/admin/shipping-option-types")
    await admin.get("/admin/shipping-option-types/{id}", id=kind)
    await admin.post("/admin/shipping-option-types/{id}", {"description": "By van"}, id=kind)

    option = {
        "name": "Standard",
        "price_type": "flat",
        "provider_id": "manual_manual",
        "service_zone_id": made,
        "shipping_profile_id": ids["profile"],
        "type": {"label": "Standard", "description": "By post", "code": "standard"},
        "prices": [{"currency_code": "eur", "amount": 5}, {"region_id": ids["region"], "amount": 4}],
        "rules": [{"attribute": "enabled_in_store", "value": "true", "operator": "eq"}],
    }
    ids["flat"] = (await admin.post("/admin/shipping-options", option))["shipping_option"]["id"]
    reckoned = {**option, "name": "Reckoned", "price_type": "calculated", "provider_id": "reckoner_r", "prices": [], "type_id": kind}
    del reckoned["type"]
    ids["calculated"] = (await admin.post("/admin/shipping-options", reckoned))["shipping_option"]["id"]
    spare = (await admin.post("/admin/shipping-options", {**option, "name": "Spare"}))["shipping_option"]["id"]
    await admin.get("/admin/shipping-options")
    await admin.get("/admin/shipping-options/{id}", id=ids["flat"])
    await admin.post("/admin/shipping-options/{id}", {"name": "Post"}, id=ids["flat"])
    rule = {"attribute": "is_return", "value": "false", "operator": "eq"}
    await admin.post("/admin/shipping-options/{id}/rules/batch", {"create": [rule]}, id=ids["flat"])
    await admin.delete("/admin/shipping-options/{id}", id=spare)


async def taxes(shop: Shop) -> None:
    admin = shop.admin
    await admin.get("/admin/tax-providers")
    rate = {"rate": 19, "name": "VAT", "code": "vat"}
    germany = {"country_code": "de", "provider_id": "tp_system", "default_tax_rate": rate, **HOOKED}
    region = (await admin.post("/admin/tax-regions", germany))["tax_region"]["id"]
    spare = (await admin.post("/admin/tax-regions", {"country_code": "us", "provider_id": "tp_system"}))["tax_region"]["id"]
    await admin.get("/admin/tax-regions")
    await admin.get("/admin/tax-regions/{id}", id=region)
    await admin.post("/admin/tax-regions/{id}", {"metadata": {"a": 1}}, id=region)
    await admin.delete("/admin/tax-regions/{id}", id=spare)

    body = {"name": "Reduced", "code": "low", "rate": 7, "tax_region_id": region}
    low = (await admin.post("/admin/tax-rates", body))["tax_rate"]["id"]
    await admin.get("/admin/tax-rates")
    await admin.get("/admin/tax-rates/{id}", id=low)
    await admin.post("/admin/tax-rates/{id}", {"rate": 8}, id=low)
    rule = {"reference": "product_type", "reference_id": shop.ids["product_type"]}
    rules = (await admin.post("/admin/tax-rates/{id}/rules", rule, id=low))["tax_rate"]["rules"]
    await admin.delete("/admin/tax-rates/{id}/rules/{rule_id}", id=low, rule_id=rules[0]["id"])
    await admin.delete("/admin/tax-rates/{id}", id=low)
