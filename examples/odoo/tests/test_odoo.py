"""The shop sells what Odoo has; Odoo gets each order once, whatever fails between them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from stand_in import OdooStandIn, Record
from velella_odoo import OdooOptions, module
from velella_odoo.client import Odoo
from velella_odoo.module import OdooService

from velella.core.errors import UnexpectedState
from velella.testing import Client, Clock, Row, Shop

SHOWN = "*variants,*variants.options,*variants.prices,*variants.inventory_items,+external_id,+metadata"


async def in_shop(admin: Client, template: int) -> Any:
    """The product that a template has become; None where it has become none."""
    [product] = (await admin.get("/admin/products", external_id=f"odoo:{template}", fields=SHOWN))["products"] or [None]
    return product


async def bought(shop: Shop, odoo: OdooStandIn, **more: Any) -> tuple[int, Row]:
    """A product of Odoo's, and an order of one unit of it."""
    template = odoo.product(f"Anchor {len(odoo.records['product.template'])}", code=f"A{len(odoo.records['product.product'])}", **more)
    await shop.run_job("sync-odoo")
    return template, await shop.order(await in_shop(shop.admin, template))


async def available(admin: Client, product: Row, variant: int = 0) -> int:
    item = product["variants"][variant]["inventory_items"][0]["inventory_item_id"]
    found = (await admin.get(f"/admin/inventory-items/{item}", fields="stocked_quantity,reserved_quantity"))["inventory_item"]
    return int(found["stocked_quantity"] - found["reserved_quantity"])


def lines(odoo: OdooStandIn, order: Record) -> list[Any]:
    rows = [line for line in odoo.records["sale.order.line"].values() if line["order_id"] == order["id"]]
    return [(line["product_id"], line["product_uom_qty"], line["price_unit"]) for line in rows]


async def test_products_and_their_stock_come_in(shop: Shop, admin: Client, odoo: OdooStandIn) -> None:
    lamp = odoo.product("Lamp", code="LAMP", price=12.5, on_hand=3, description_sale="Brass.")
    shirt = odoo.product("Shirt", code="SHIRT", sizes=("S", "M"), on_hand=7)
    hidden = odoo.product("Hidden", code="HIDDEN", sale_ok=False)
    service = odoo.product("Polishing", code="POLISH", is_storable=False)
    await shop.run_job("sync-odoo")
    twin = odoo.product("Twin", code="LAMP")  # a reference that another one has
    await shop.run_job("sync-odoo")
    there = await in_shop(admin, lamp)
    assert (there["title"], there["handle"], there["status"], there["description"]) == ("Lamp", f"lamp-{lamp}", "published", "Brass.")
    [variant] = there["variants"]
    assert (variant["sku"], variant["prices"][0]["amount"], variant["prices"][0]["currency_code"]) == ("LAMP", 12.5, "eur")
    assert await available(admin, there) == 3
    sizes = await in_shop(admin, shirt)
    assert [(each["sku"], [option["value"] for option in each["options"]]) for each in sizes["variants"]] == [
        ("SHIRT-S", ["S"]),
        ("SHIRT-M", ["M"]),
    ]
    assert [await available(admin, sizes, number) for number in (0, 1)] == [7, 7]
    assert [await in_shop(admin, each) for each in (hidden, twin)] == [None, None]
    assert not (await in_shop(admin, service))["variants"][0]["manage_inventory"]

    own = {"prices": [{"currency_code": "eur", "amount": 12.5}, {"currency_code": "usd", "amount": 15}]}
    await admin.post(f"/admin/products/{there['id']}/variants/{variant['id']}", own)
    await admin.post(f"/admin/products/{there['id']}", {"metadata": {**there["metadata"], "season": "all"}, "subtitle": "Bright"})
    odoo.records["product.template"][lamp]["name"] = "Harbour lamp"
    odoo.variants(lamp)[0] |= {"lst_price": 14.0, "on_hand": 9}
    odoo.variants(shirt)[1]["active"] = False
    odoo.variants(twin)[0]["default_code"] = "TWIN"
    before = (await in_shop(admin, service))["updated_at"]
    await shop.run_job("sync-odoo")
    there = await in_shop(admin, lamp)
    assert (there["title"], there["subtitle"], there["handle"], there["metadata"]["season"]) == (
        "Harbour lamp",
        "Bright",
        f"lamp-{lamp}",
        "all",
    )
    [variant] = there["variants"]
    assert {price["currency_code"]: price["amount"] for price in variant["prices"]} == {"eur": 14, "usd": 15}
    assert await available(admin, there) == 9
    assert [each["sku"] for each in (await in_shop(admin, shirt))["variants"]] == ["SHIRT-S"]
    assert (await in_shop(admin, twin))["variants"][0]["sku"] == "TWIN"
    assert (await in_shop(admin, service))["updated_at"] == before, "what hasn't changed isn't touched"

    odoo.records["product.template"][lamp]["active"] = False
    odoo.variants(lamp)[0]["active"] = False
    await shop.run_job("sync-odoo")
    there = await in_shop(admin, lamp)
    assert there["status"] == "draft"
    assert await available(admin, there) == 0


async def test_what_odoo_has_much_of_is_asked_for_page_by_page(
    shop: Shop, admin: Client, odoo: OdooStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    cap = odoo.product("Cap", code="CAP", sizes=("S", "M", "L", "XL", "XXL"))
    odoo.asked.clear()
    await shop.run_job("sync-odoo")
    assert odoo.asked.count("product.template.attribute.value.search_read") >= 3
    assert len((await in_shop(admin, cap))["variants"]) == 5


async def test_an_order_goes_out_with_its_buyer_and_comes_back_delivered(shop: Shop, admin: Client, odoo: OdooStandIn) -> None:
    template, order = await bought(shop, odoo, price=12.0, on_hand=5)
    await shop.settled()
    [there] = odoo.orders(order["id"])
    [variant], other = odoo.variants(template), next(iter(odoo.records["product.product"]))
    item = order["items"][0]
    net = [
        float(total - tax) for total, tax in ((item["total"], item["tax_total"]), (order["shipping_total"], order["shipping_tax_total"]))
    ]
    expected: list[Any] = [(variant["id"], 1, pytest.approx(net[0])), (other, 1, pytest.approx(net[1]))]
    assert lines(odoo, there) == expected
    assert there["state"] == "sale"
    buyer, address = (odoo.records["res.partner"][there[name]] for name in ("partner_id", "partner_shipping_id"))
    assert (buyer["email"], buyer["name"]) == ("ada@example.com", "Ada Lovelace")
    assert (address["parent_id"], address["type"], address["street"], address["city"]) == (buyer["id"], "delivery", "Quay 1", "Kiel")
    assert odoo.records["res.country"][address["country_id"]]["code"] == "DE"
    again = await shop.order(await in_shop(admin, template))
    await shop.settled()
    assert [odoo.orders(again["id"])[0][name] for name in ("partner_id", "partner_shipping_id")] == [buyer["id"], address["id"]]

    await shop.run_job("sync-odoo")
    product = await in_shop(admin, template)
    assert await available(admin, product) == 3, "what is promised is subtracted once"
    shown = (await admin.get(f"/admin/orders/{order['id']}", fields="+odoo_order.*"))["order"]["odoo_order"]
    assert (shown["id"], shown["state"], shown["delivery_status"]) == (there["name"], "sale", "pending")

    def tag() -> list[str]:
        return [odoo.records["crm.tag"][id]["name"] for id in there["tag_ids"]]

    assert tag() == ["Shop: not paid"]
    [collection] = (await admin.get(f"/admin/orders/{order['id']}", fields="*payment_collections.payments"))["order"]["payment_collections"]
    await admin.post(f"/admin/payments/{collection['payments'][0]['id']}/capture")
    await shop.settled()
    assert tag() == ["Shop: paid"]
    await admin.post(f"/admin/payments/{collection['payments'][0]['id']}/refund", {"amount": 1})
    await shop.settled()
    assert tag() == ["Shop: partly refunded"]

    await shop.run_job("sync-odoo-deliveries")
    assert (await admin.get(f"/admin/orders/{order['id']}"))["order"]["fulfillment_status"] == "not_fulfilled"
    odoo.deliver(order["id"], "00340434")
    await asyncio.gather(*(shop.run_job("sync-odoo-deliveries") for _ in range(2)))
    await shop.run_job("sync-odoo")
    shipped = (await admin.get(f"/admin/orders/{order['id']}", fields="+fulfillments.labels.tracking_number"))["order"]
    assert shipped["fulfillment_status"] == "shipped"
    assert [label["tracking_number"] for each in shipped["fulfillments"] for label in each["labels"]] == ["00340434"]
    assert await available(admin, product) == 3


async def test_an_order_is_there_once_though_answers_are_lost_late_or_bad(
    shop: Shop, admin: Client, clock: Clock, odoo: OdooStandIn
) -> None:
    template, _ = await bought(shop, odoo, on_hand=50)
    product = await in_shop(admin, template)
    await shop.settled()

    async def placed() -> str:
        order = await shop.order(product)
        await clock.forward(seconds=1)
        await odoo.idle()
        await clock.forward(minutes=10)
        await clock.forward(minutes=10)
        found = odoo.orders(order["id"])
        assert [each["state"] for each in found if each["state"] != "cancel"] == ["sale"], found
        return str(order["id"])

    odoo.lost = ["sale.order.create"]
    assert len(odoo.orders(await placed())) == 1
    odoo.late = {"sale.order.create": 1.5}  # the shop gives up after 1 s; Odoo doesn't
    assert len(odoo.orders(await placed())) == 1
    odoo.lost = ["sale.order.action_confirm", "res.partner.create"]
    assert len(odoo.orders(await placed())) == 1
    odoo.fails = [502, 500, 503, 429, 500]
    assert len(odoo.orders(await placed())) == 1


async def test_no_order_is_counted_twice_in_the_stock(shop: Shop, odoo: OdooStandIn) -> None:
    """Whenever it comes: Odoo is asked twice for the stock, for what is promised and for what is free."""
    [variant] = odoo.variants(odoo.product("Fender", code="FENDER", on_hand=5))
    service, sold = shop.modules.of(OdooService), 0

    def order() -> None:
        nonlocal sold
        sold += 1
        id = odoo.make("sale.order", client_order_ref=f"order_{sold}", state="sale")
        odoo.make("sale.order.line", order_id=id, product_id=variant["id"], product_uom_qty=1, qty_delivered=0)

    for moment in ("sale.order.line.read_group", "product.product.search_read"):
        odoo.meanwhile = {moment: order}
        assert (await service.stock([variant["id"]]))[variant["id"]] <= 5
        assert (await service.stock([variant["id"]]))[variant["id"]] == 5


async def test_what_is_owed_to_odoo_is_kept_until_it_is_up_again(shop: Shop, admin: Client, clock: Clock, odoo: OdooStandIn) -> None:
    template, _ = await bought(shop, odoo, on_hand=50)
    product = await in_shop(admin, template)
    await shop.settled()
    await odoo.stop()
    one, other = await shop.order(product), await shop.order(product)
    await admin.post(f"/admin/orders/{other['id']}/cancel")
    await clock.forward(hours=2)
    await odoo.start()
    await clock.forward(hours=1)
    assert [each["state"] for each in odoo.orders(one["id"])] == ["sale"]
    assert odoo.orders(other["id"]) == [], "it was cancelled before Odoo heard of it"
    await admin.post(f"/admin/orders/{one['id']}/cancel")
    await shop.settled()
    assert [each["state"] for each in odoo.orders(one["id"])] == ["cancel"]


async def test_of_two_orders_at_odoo_for_one_of_ours_the_later_is_cancelled(shop: Shop, admin: Client, odoo: OdooStandIn) -> None:
    """A process dies while it creates one, and another one begins before Odoo has it."""
    template, _ = await bought(shop, odoo, on_hand=50)
    product = await in_shop(admin, template)
    await shop.settled()

    def twin() -> None:
        [ref] = [each["client_order_ref"] for each in odoo.records["sale.order"].values() if each["state"] == "draft"]
        [known] = odoo.orders(ref)
        odoo.make("sale.order", **{name: value for name, value in known.items() if name not in ("id", "active")})

    odoo.meanwhile = {"sale.order.action_confirm": twin}
    second = await shop.order(product)
    await shop.settled()
    assert sorted(each["state"] for each in odoo.orders(second["id"])) == ["draft", "sale"]
    [collection] = (await admin.get(f"/admin/orders/{second['id']}", fields="*payment_collections.payments"))["order"][
        "payment_collections"
    ]
    await admin.post(f"/admin/payments/{collection['payments'][0]['id']}/capture")
    await shop.settled()
    assert [each["state"] for each in odoo.orders(second["id"])] == ["sale", "cancel"]


async def test_what_odoo_refuses_is_said_in_its_words(odoo: OdooStandIn) -> None:
    """With status 200, as it refuses."""
    wrong, right = Odoo(OdooOptions(**{**odoo.options, "api_key": "guessed"})), Odoo(OdooOptions(**odoo.options))
    try:
        with pytest.raises(UnexpectedState, match="doesn't let this shop in"):
            await wrong.execute("sale.order", "create", {})
        with pytest.raises(UnexpectedState, match=r"Odoo refuses sale.order: odoo.exceptions.UserError: sale.order.unlink isn't there"):
            await right.execute("sale.order", "unlink", [1])
    finally:
        await wrong.close()
        await right.close()
