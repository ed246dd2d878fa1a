"""A shop that sends by ShipStation: rates at checkout, labels that are bought once, tracking by webhook."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from velella.core.errors import Busy, InvalidData, NotAllowed, Unavailable, UnexpectedState
from velella.modules.fulfillment.providers.shipstation import ShipStationFulfillment

from ..ship_desk import CARRIER, FARAWAY, FROM, ShipDesk
from .conftest import Answer, Market, Row, Store

D = Decimal
PROVIDER = "shipstation_shipstation"
PARCEL = {"carrier_id": CARRIER, "carrier_service_code": "parcel"}


@dataclass
class Dispatch:
    """A storefront, a merchant, and what ShipStation does."""

    market: Market
    store: Store
    merchant: Store
    desk: ShipDesk
    option: str

    async def cart(self, country: str = "de") -> Row:
        return await self.store.add(await self.store.cart(country), await self.market.new_variant({"eur": "10"}), 2)

    async def price(self, cart: Row) -> Answer:
        return await self.store.post(f"/store/shipping-options/{self.option}/calculate", {"cart_id": cart["id"], "data": {}})

    async def order(self) -> Row:
        cart = await self.store.ship(await self.cart(), self.option)
        await self.store.pay(cart)
        placed: Row = (await self.store.complete(cart))["order"]
        return placed

    async def send(self, order: Row, quantity: int = 2) -> Answer:
        items = [{"id": order["items"][0]["id"], "quantity": quantity}]
        path = f"/admin/orders/{order['id']}/fulfillments"
        return await self.merchant.post(path, {"items": items, "location_id": self.market.location})

    async def boxes(self, order: Row) -> list[Row]:
        shown = await self.merchant.get(f"/admin/orders/{order['id']}", fields="fulfillments.*,fulfillments.labels.*")
        made: list[Row] = shown["order"]["fulfillments"]
        return made

    async def told(self, number: str, status: str, *, ago: float = 0.0, forged: bool = False) -> tuple[int, str]:
        body, headers = self.desk.webhook(number, status, ago=ago, forged=forged)
        url = f"{self.market.base}/hooks/fulfillment/{PROVIDER}"
        async with self.store.session.post(url, data=body, headers=headers) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def dispatch(market: Market, store: Store, merchant: Store, ship_desk: ShipDesk) -> AsyncIterator[Dispatch]:
    modules = market.modules
    [of] = await modules.fulfillment.list("shipping_option", {"id": market.option}, fields=("service_zone_id", "shipping_profile_id"))
    rules = [
        {"attribute": "enabled_in_store", "operator": "eq", "value": "true"},
        {"attribute": "is_return", "operator": "eq", "value": "false"},
    ]
    kind = {"label": "Parcel", "description": "Parcel", "code": "parcel"}
    given = {
        "service_zone_id": of["service_zone_id"],
        "shipping_profile_id": of["shipping_profile_id"],
        "name": "Parcel",
        "price_type": "calculated",
        "provider_id": PROVIDER,
        "data": PARCEL,
        "type": kind,
        "rules": rules,
    }
    option = (await modules.fulfillment.create_options([given]))[0]["id"]
    yield Dispatch(market, store, merchant, ship_desk, option)
    ship_desk.lost.clear()
    ship_desk.down.clear()
    ship_desk.limited, ship_desk.unvoidable = 0, False


async def test_a_merchant_builds_options_on_the_services_of_carriers(dispatch: Dispatch) -> None:
    path = f"/admin/fulfillment-providers/{PROVIDER}/options"
    offered = (await dispatch.merchant.get(path))["fulfillment_options"]
    services = [(each["id"], each.get("is_return", False)) for each in offered]
    assert services == [(f"{CARRIER}__parcel", False), (f"{CARRIER}__parcel__return", True), (f"{CARRIER}__express", False)]


async def test_a_cart_is_priced_by_the_carriers_rate_which_is_asked_for_once(dispatch: Dispatch) -> None:
    cart = await dispatch.cart()
    dispatch.desk.asked.clear()
    priced = (await dispatch.price(cart))["shipping_option"]
    assert priced["amount"] == D("4.35"), "3.10 and a cent for each 10 g of 1 kg, and the confirmation"
    cart = await dispatch.store.ship(cart, dispatch.option)
    assert cart["shipping_subtotal"] == D("4.35")
    assert dispatch.desk.asked.count("POST /rates") == 1
    more = await dispatch.store.post(f"/store/carts/{cart['id']}/line-items/{cart['items'][0]['id']}", {"quantity": 3})
    assert more["cart"]["shipping_subtotal"] == D("4.85")


async def test_where_a_carrier_has_no_rate_the_buyer_hears_why(dispatch: Dispatch) -> None:
    provider = ShipStationFulfillment(**dispatch.desk.options)
    line = {"quantity": D(1), "variant": {"weight": 250.0}}
    context = {"currency_code": "eur", "items": [line], "shipping_address": {"country_code": "se"}, "from_location": None}
    with pytest.raises(InvalidData, match="DHL doesn't go to Sweden"):
        await provider.calculate_price(PARCEL, {}, context)
    with pytest.raises(InvalidData, match="shipping address"):
        await provider.calculate_price(PARCEL, {}, {**context, "shipping_address": None})
    await provider.close()


async def test_a_fulfillment_has_its_label_however_often_the_answer_is_lost(dispatch: Dispatch) -> None:
    order = await dispatch.order()
    dispatch.desk.lost.append("POST /labels$")
    sending = asyncio.create_task(dispatch.send(order))
    while not any(name == "POST /labels" for name in dispatch.desk.asked):
        await asyncio.sleep(0.02)
    dispatch.desk.lost.clear()
    await sending
    while not (boxes := await dispatch.boxes(order)) or not boxes[0]["labels"]:
        await asyncio.sleep(0.05)
    [box] = boxes
    [bought] = dispatch.desk.bought(box["id"])
    assert [label["tracking_number"] for label in box["labels"]] == [bought["tracking_number"]]
    assert box["labels"][0]["label_url"] == bought["label_download"]["pdf"]
    shipment = dispatch.desk.shipments[bought["shipment_id"]]
    assert (shipment["ship_to"]["country_code"], shipment["service_code"]) == ("DE", "parcel")
    assert shipment["packages"][0]["weight"] == {"value": 1000.0, "unit": "gram"}


async def test_what_is_refused_sends_nothing(dispatch: Dispatch) -> None:
    order = await dispatch.order()
    address = {"first_name": "Ada", "address_1": "Street 1", "city": "Town", "country_code": "de"}
    path = f"/admin/orders/{order['id']}/fulfillments"
    items = [{"id": order["items"][0]["id"], "quantity": 2}]
    refused = await dispatch.merchant.post(path, {"items": items, "location_id": dispatch.market.location, "delivery_address": address})
    assert refused.status == 400
    assert "postal_code is required" in refused.body["message"]
    assert await dispatch.boxes(order) == []
    assert (await dispatch.send(order)).status == 200


async def test_from_nowhere_nothing_is_priced_or_sent(dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused for certain: an order whose location has no address waits for nobody."""
    order = await dispatch.order()
    [nowhere] = await dispatch.market.modules.stock_location.create_locations([{"name": "Nowhere"}])
    monkeypatch.setattr(dispatch.market.host.services["fulfillment"].providers.get(PROVIDER), "_ship_from", {})
    items = [{"id": order["items"][0]["id"], "quantity": 2}]
    path = f"/admin/orders/{order['id']}/fulfillments"
    refused = await dispatch.merchant.post(path, {"items": items, "location_id": nowhere["id"]})
    assert (refused.status, refused.body["type"]) == (400, "not_allowed")
    assert "has no address" in refused.body["message"]
    assert await dispatch.boxes(order) == []
    assert (await dispatch.send(order)).status == 200


async def test_a_cancelled_fulfillment_has_its_label_voided_unless_the_carrier_refuses(dispatch: Dispatch) -> None:
    order = await dispatch.order()
    await dispatch.send(order)
    [box] = await dispatch.boxes(order)
    path = f"/admin/orders/{order['id']}/fulfillments/{box['id']}/cancel"
    dispatch.desk.unvoidable = True
    refused = await dispatch.merchant.post(path, {})
    assert refused.status == 400
    assert "scanned already" in refused.body["message"]
    assert (await dispatch.boxes(order))[0]["canceled_at"] is None
    dispatch.desk.unvoidable = False
    assert (await dispatch.merchant.post(path, {})).status == 200
    assert [label["status"] for label in dispatch.desk.bought(box["id"])] == ["voided"]


async def test_a_parcel_is_sent_and_delivered_as_its_carrier_tells(dispatch: Dispatch) -> None:
    order = await dispatch.order()
    await dispatch.send(order)
    [box] = await dispatch.boxes(order)
    number = box["labels"][0]["tracking_number"]
    for strange in (dispatch.told(number, "DE", forged=True), dispatch.told(number, "DE", ago=600)):
        assert (await strange)[0] == 400
    assert await dispatch.told("1Z-of-another-shop", "DE") == (200, "OK")
    assert await dispatch.told(number, "NY") == (200, "OK")
    assert (await dispatch.boxes(order))[0]["shipped_at"] is None, "not yet in the carrier's hands"
    assert [await dispatch.told(number, "IT") for _ in range(2)] == [(200, "OK")] * 2
    assert (await status_of(dispatch, order)) == "shipped"
    assert await asyncio.gather(*(dispatch.told(number, "DE") for _ in range(3))) == [(200, "OK")] * 3
    assert (await status_of(dispatch, order)) == "delivered"
    assert await dispatch.told(number, "IT") == (200, "OK"), "late news change nothing"
    assert (await status_of(dispatch, order)) == "delivered"


async def status_of(dispatch: Dispatch, order: Row) -> str:
    shown = await dispatch.merchant.get(f"/admin/orders/{order['id']}", fields="fulfillment_status")
    return str(shown["order"]["fulfillment_status"])


async def test_a_return_has_a_label_from_the_buyer_to_the_shop(ship_desk: ShipDesk) -> None:
    provider = ShipStationFulfillment(**ship_desk.options)
    buyer = {"first_name": "Ada", "address_1": "Street 1", "city": "Town", "postal_code": "1", "country_code": "de"}
    back = {"option": PARCEL, "delivery_address": buyer, "items": [{"quantity": D(1)}], "location": None}
    made = [await provider.create_return("ful_back", back) for _ in range(2)]
    [bought] = ship_desk.bought("ful_back")
    assert bought["is_return_label"]
    assert [each.labels[0]["tracking_number"] for each in made] == [bought["tracking_number"]] * 2
    assert ship_desk.shipments[bought["shipment_id"]]["ship_to"] == FROM
    await provider.cancel("ful_back", {})
    await provider.cancel("ful_back", {})
    assert bought["status"] == "voided"
    await provider.cancel("ful_never", {})
    await provider.close()


def ways_of(preview: Row) -> list[Row]:
    """What a change adds: each way of sending's amount, and the id of the action."""
    return [
        {"amount": D(str(act["amount"])), "id": act["id"], "back": act["return_id"] is not None}
        for method in preview["shipping_methods"]
        for act in method.get("actions", ())
    ]


async def desk_of_returns(dispatch: Dispatch, street: str, postal_code: str = "24103") -> str:
    address = {"address_1": street, "city": "Kiel", "postal_code": postal_code, "country_code": "de"}
    [made] = await dispatch.market.modules.stock_location.create_locations([{"name": "Returns", "address": address}])
    return str(made["id"])


async def test_the_way_back_is_priced_by_its_provider_for_what_comes_back(dispatch: Dispatch) -> None:
    merchant, order = dispatch.merchant, await dispatch.order()
    assert (await dispatch.send(order)).status == 200
    given = {"order_id": order["id"], "location_id": await desk_of_returns(dispatch, "Ramp 2")}
    at = f"/admin/returns/{(await merchant.post('/admin/returns', given))['return']['id']}"
    item = {"id": order["items"][0]["id"], "quantity": 1}
    preview = (await merchant.post(f"{at}/request-items", {"items": [item]}))["order_preview"]
    [requested] = [act["id"] for act in preview["items"][0]["actions"]]
    preview = (await merchant.post(f"{at}/shipping-method", {"shipping_option_id": dispatch.option}))["order_preview"]
    [way] = ways_of(preview)
    assert way["amount"] == D("3.85"), "of one unit"
    shipment = dispatch.desk.rated[-1]
    assert [shipment[end]["address_line1"] for end in ("ship_from", "ship_to")] == [order["shipping_address"]["address_1"], "Ramp 2"]
    dispatch.desk.down.append("POST /rates")
    refused = await merchant.post(f"{at}/request-items/{requested}", {"quantity": 2})
    assert refused.status == 503, "nobody knows what two cost"
    dispatch.desk.down.clear()
    preview = (await merchant.post(f"{at}/request-items/{requested}", {"quantity": 2}))["order_preview"]
    assert [each["amount"] for each in ways_of(preview)] == [D("4.35")], "it costs what two cost"
    asked = len(dispatch.desk.rated)
    await merchant.post(f"{at}/request-items/{requested}", {"internal_note": "blue"})
    assert len(dispatch.desk.rated) == asked, "the same goods"
    await merchant.post(f"{at}/shipping-method/{way['id']}", {"custom_amount": 1})
    preview = (await merchant.post(f"{at}/request-items/{requested}", {"quantity": 1}))["order_preview"]
    assert [each["amount"] for each in ways_of(preview)] == [1], "a merchant's own amount stays"
    preview = (await merchant.post(f"{at}/shipping-method/{way['id']}", {"custom_amount": None}))["order_preview"]
    assert [each["amount"] for each in ways_of(preview)] == [D("3.85")]
    method = next(each for each in preview["shipping_methods"] if each.get("actions"))
    assert method["total"] > method["subtotal"] == D("3.85"), "with its tax"
    assert (await merchant.post(f"{at}/request")).status == 200
    shown = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    assert shown["items"][0]["detail"]["return_requested_quantity"] == 1
    assert sorted(D(str(each["amount"])) for each in shown["shipping_methods"]) == [D("3.85"), D("4.35")]
    owed = D(str(order["total"])) + D(str(method["total"])) - D(str(order["items"][0]["total"])) / 2
    assert D(str(shown["summary"]["pending_difference"])) == owed.quantize(D("0.01")), "nothing was captured yet"
    [back] = [
        each for each in dispatch.desk.shipments.values() if each.get("is_return_label") and each["ship_to"]["address_line1"] == "Ramp 2"
    ]
    assert back["packages"][0]["weight"]["value"] == 500.0


@pytest.mark.parametrize("kind", ["return", "exchange"])
async def test_what_comes_back_to_another_place_costs_what_it_costs_to_there(dispatch: Dispatch, kind: str) -> None:
    merchant, order = dispatch.merchant, await dispatch.order()
    assert (await dispatch.send(order)).status == 200
    streets = [f"{place} of {kind}s" for place in ("Quay", "Pier", "Reef")]  # rates that were asked for are remembered
    near, island, reef = [await desk_of_returns(dispatch, street, FARAWAY if at else "24103") for at, street in enumerate(streets)]
    at = f"/admin/{kind}s/{(await merchant.post(f'/admin/{kind}s', {'order_id': order['id']}))[kind]['id']}"
    items, inbound = ("request-items", "") if kind == "return" else ("inbound/items", "inbound/")
    body = {"items": [{"id": order["items"][0]["id"], "quantity": 1}]}
    named = await merchant.post(f"{at}/{items}", body if kind == "return" else {**body, "location_id": near})
    back = f"/admin/returns/{named['return']['id']}"
    if kind == "return":
        assert (await merchant.post(back, {"location_id": near}))["return"]["location_id"] == near
    else:
        await merchant.post(f"{at}/outbound/items", {"items": [{"variant_id": order["items"][0]["variant_id"], "quantity": 1}]})
    way = {"shipping_option_id": dispatch.option}
    preview = (await merchant.post(f"{at}/{inbound}shipping-method", way))["order_preview"]
    assert [each["amount"] for each in ways_of(preview)] == [D("3.85")]
    moved = await merchant.post(back, {"location_id": island})
    assert (moved["return"]["location_id"], [each["amount"] for each in ways_of(moved["order_preview"])]) == (island, [D("4.85")])
    dispatch.desk.down.append("POST /rates")
    assert (await merchant.post(back, {"location_id": reef})).status == 503, "nobody knows what it costs to there"
    dispatch.desk.down.clear()
    asked = len(dispatch.desk.rated)
    kept = await merchant.post(back, {"location_id": island, "metadata": {"by": "ferry"}})
    assert (kept["return"]["metadata"], len(dispatch.desk.rated)) == ({"by": "ferry"}, asked), "it is the same place"

    revise = f"{at}/{items}/{next(act['id'] for act in moved['order_preview']['items'][0]['actions'])}"
    calls = [merchant.post(back, {"location_id": place}) for place in (near, reef)]
    results = await asyncio.gather(*calls, *(merchant.post(revise, {"quantity": 2}) for _ in range(2)))
    assert {each.status for each in results} <= {200, 409}
    shown = (await merchant.get(f"/admin/orders/{order['id']}/preview"))["order"]
    units, place = shown["items"][0]["detail"]["return_requested_quantity"], (await merchant.get(back))["return"]["location_id"]
    cost = D("3.35") + units * D("0.5") + (0 if place == near else 1)
    assert [each["amount"] for each in ways_of(shown)] == [cost], "of as many, to where they come"

    confirming = asyncio.create_task(merchant.post(f"{at}/request"))
    moving = await merchant.post(back, {"location_id": near if place != near else reef})
    confirmed = await confirming
    assert {moving.status, confirmed.status} <= {200, 400, 409}
    if confirmed.status != 200:
        assert (await merchant.post(f"{at}/request")).status == 200
    place = (await merchant.get(back))["return"]["location_id"]
    shown = (await merchant.get(back, fields="fulfillments.*,fulfillments.labels.*"))["return"]["fulfillments"]
    [box] = [each for each in shown if each["canceled_at"] is None]
    [label] = [each for each in dispatch.desk.bought(box["id"]) if each["status"] != "voided"]
    street = dict(zip((near, island, reef), streets, strict=True))[place]
    assert (box["location_id"], dispatch.desk.shipments[label["shipment_id"]]["ship_to"]["address_line1"]) == (place, street)
    assert (await merchant.post(back, {"location_id": island})).status == 400, "its label is bought"


@pytest.mark.parametrize("kind", ["exchange", "claim"])
async def test_what_is_sent_instead_and_what_comes_back_are_priced_each_by_its_goods(dispatch: Dispatch, kind: str) -> None:
    merchant, order = dispatch.merchant, await dispatch.order()
    assert (await dispatch.send(order)).status == 200
    begun = await merchant.post(f"/admin/{kind}s", {"order_id": order["id"], **({"type": "replace"} if kind == "claim" else {})})
    at = f"/admin/{kind}s/{begun[kind]['id']}"
    way = {"shipping_option_id": dispatch.option}
    back = {"items": [{"id": order["items"][0]["id"], "quantity": 1}], "location_id": await desk_of_returns(dispatch, f"Ramp of {kind}s")}
    await merchant.post(f"{at}/inbound/items", back)
    await merchant.post(f"{at}/inbound/shipping-method", way)
    assert dispatch.desk.rated[-1]["ship_to"]["address_line1"] == f"Ramp of {kind}s"
    new = {"items": [{"variant_id": order["items"][0]["variant_id"], "quantity": 3}]}
    await merchant.post(f"{at}/outbound/items", new)
    preview = (await merchant.post(f"{at}/outbound/shipping-method", way))["order_preview"]
    out = [each["packages"][0]["weight"]["value"] for each in dispatch.desk.rated if each["ship_from"].get("address_line1") == "Dock 1"]
    assert 1500.0 in out
    assert [(each["back"], each["amount"]) for each in ways_of(preview)] == [(True, D("3.85")), (False, D("4.85"))]
    [added] = [act["id"] for item in preview["items"] for act in item.get("actions", ()) if act["action"] == "ITEM_ADD"]
    preview = (await merchant.post(f"{at}/outbound/items/{added}", {"quantity": 4}))["order_preview"]
    assert [each["amount"] for each in ways_of(preview)] == [D("3.85"), D("5.35")], "more goes out, as much comes back"
    more = {"items": [{"variant_id": order["items"][0]["variant_id"], "quantity": 1}]}
    results = await asyncio.gather(*(merchant.post(f"{at}/outbound/items", more) for _ in range(3)))
    assert {each.status for each in results} <= {200, 409}
    units = 4 + sum(each.status == 200 for each in results)
    preview = (await merchant.get(f"/admin/orders/{order['id']}/preview"))["order"]
    assert [each["amount"] for each in ways_of(preview)] == [D("3.85"), D("3.35") + units * D("0.5")], "of whatever goes in the end"
    asked = [act["id"] for item in preview["items"] for act in item.get("actions", ()) if act["action"] == "ITEM_ADD"]
    for id in asked[1:]:
        preview = (await merchant("DELETE", f"{at}/outbound/items/{id}"))["order_preview"]
    assert [each["amount"] for each in ways_of(preview)] == [D("3.85"), D("5.35")]


async def test_an_edit_pays_for_what_is_left_to_be_sent(dispatch: Dispatch) -> None:
    merchant, order = dispatch.merchant, await dispatch.order()
    assert (await dispatch.send(order, 1)).status == 200
    at = f"/admin/order-edits/{order['id']}"
    await merchant.post("/admin/order-edits", {"order_id": order["id"]})
    preview = (await merchant.post(f"{at}/shipping-method", {"shipping_option_id": dispatch.option}))["order_preview"]
    assert [each["amount"] for each in ways_of(preview)] == [D("3.85")]
    await merchant.post(f"{at}/items/item/{order['items'][0]['id']}", {"quantity": 6})
    preview = (await merchant.post(f"{at}/items/item/{order['items'][0]['id']}", {"quantity": 4}))["order_preview"]
    assert [each["amount"] for each in ways_of(preview)] == [D("4.85")]
    preview = (await merchant.post(f"{at}/shipping-method", {"shipping_option_id": dispatch.option, "custom_amount": 0}))["order_preview"]
    assert [each["amount"] for each in ways_of(preview)] == [D("4.85"), 0]
    assert (await merchant.post(f"{at}/confirm")).status == 200
    shown = (await merchant.get(f"/admin/orders/{order['id']}"))["order"]
    assert sorted(D(str(each["amount"])) for each in shown["shipping_methods"]) == [0, D("4.35"), D("4.85")]


async def test_who_asks_too_often_waits_and_who_gets_no_answer_doesnt_know(ship_desk: ShipDesk) -> None:
    provider = ShipStationFulfillment(**ship_desk.options)
    ship_desk.limited = 2
    assert await provider.options()
    ship_desk.limited = 9
    with pytest.raises(Busy, match="asked too often"):
        await provider.options()
    ship_desk.limited = 0
    ship_desk.down.append("GET /carriers")
    with pytest.raises(Unavailable):
        await provider.options()
    ship_desk.down.clear()
    await provider.close()
    stranger = ShipStationFulfillment(**{**ship_desk.options, "api_key": "of another"})
    with pytest.raises(UnexpectedState, match="API key is invalid"):
        await stranger.options()
    with pytest.raises(NotAllowed):
        await stranger.read_tracking(b"{}", {})
    await stranger.close()
