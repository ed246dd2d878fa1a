"""The fulfillment module: zones, options for an address, and fulfillments with their providers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from velella.core.errors import InvalidData, NotAllowed, NotFound, Unavailable
from velella.core.flow import keep
from velella.core.service.providers import Providers
from velella.core.settings import ProviderSettings
from velella.modules.fulfillment.provider import Consignment, Data, FulfillmentProvider, ShippingPrice
from velella.modules.fulfillment.providers.manual import ManualFulfillmentProvider
from velella.modules.fulfillment.service import FulfillmentService

from .one_module import alone

D = Decimal
STORE = {"enabled_in_store": "true", "is_return": "false"}
DE, US = {"country_code": "de"}, {"country_code": "us"}


class Courier(FulfillmentProvider):
    """A carrier that prices by the number of items, labels its parcels, and can be down."""

    identifier: ClassVar[str] = "courier"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.fails: Exception | None = None

    async def options(self) -> list[dict[str, Any]]:
        return [{"id": "express"}]

    async def can_calculate(self, option: Data) -> bool:
        return True

    async def calculate_price(self, option: Data, data: Data, context: Data) -> ShippingPrice:
        return ShippingPrice(D("1.50") * len(context["items"]), is_tax_inclusive=True)

    async def create(self, key: str, data: Data, items: Sequence[Data], order: Data | None, fulfillment: Data) -> Consignment:
        self.asked.append(("create", key))
        await self.meanwhile()
        if self.fails is not None:
            raise self.fails
        return Consignment({"parcel": len(items)}, [{"tracking_number": "T1", "tracking_url": "u", "label_url": "l"}])

    async def cancel(self, key: str, data: Data) -> None:
        self.asked.append(("cancel", key))
        await self.meanwhile()
        if self.fails is not None:
            raise self.fails

    async def meanwhile(self) -> None:
        """What happens while it is asked."""


@pytest.fixture
async def fulfillments(fresh_database: str) -> AsyncIterator[FulfillmentService]:
    kinds = {"manual": ManualFulfillmentProvider, "courier": Courier}
    configured = [ProviderSettings(use="manual", id="manual"), ProviderSettings(use="courier", id="fast")]
    async with alone(FulfillmentService, fresh_database, providers=Providers("fulfillment", kinds, configured)) as service:
        yield service


async def zone_for(fulfillments: FulfillmentService, name: str, *places: Mapping[str, Any]) -> str:
    (made,) = await fulfillments.create_sets([{"name": name, "type": "shipping", "service_zones": [{"name": name, "geo_zones": places}]}])
    (zone,) = await fulfillments.list("service_zone", {"fulfillment_set_id": made["id"]}, fields=("id",))
    return str(zone["id"])


async def option_for(fulfillments: FulfillmentService, zone: str, name: str, *rules: tuple[str, str, Any], **more: Any) -> str:
    option = {
        "name": name,
        "service_zone_id": zone,
        "provider_id": "manual_manual",
        "type": {"label": name, "code": name},
        "rules": [{"attribute": attribute, "operator": operator, "value": value} for attribute, operator, value in rules],
        **more,
    }
    (made,) = await fulfillments.create_options([option])
    return str(made["id"])


async def names(fulfillments: FulfillmentService, context: Mapping[str, Any], address: Mapping[str, Any] | None, **more: Any) -> list[str]:
    return sorted(row["name"] for row in await fulfillments.list_shipping_options_for_context(context, address=address, **more))


async def test_providers_of_the_settings_have_rows(fulfillments: FulfillmentService) -> None:
    assert sorted(row["id"] for row in await fulfillments.list("fulfillment_provider")) == ["courier_fast", "manual_manual"]
    assert [option["id"] for option in await fulfillments.provider_options("manual_manual")] == [
        "manual-fulfillment",
        "manual-fulfillment-return",
    ]
    with pytest.raises(NotFound):
        await fulfillments.provider_options("manual_other")


async def test_options_are_those_of_the_address_whose_rules_hold(fulfillments: FulfillmentService) -> None:
    europe = await zone_for(fulfillments, "Europe", {"type": "country", "country_code": "DE"}, {"type": "country", "country_code": "dk"})
    york = await zone_for(fulfillments, "NY", {"type": "province", "country_code": "us", "province_code": "US-NY"})
    in_store = ("enabled_in_store", "eq", "true")
    await option_for(fulfillments, europe, "post", in_store, ("is_return", "eq", "false"))
    await option_for(fulfillments, europe, "return", in_store, ("is_return", "eq", "true"))
    await option_for(fulfillments, europe, "staff", ("enabled_in_store", "eq", "false"))
    await option_for(fulfillments, europe, "heavy", ("item_total", "gte", "100"))
    subway = await option_for(fulfillments, york, "subway")
    assert await names(fulfillments, STORE, DE) == ["post"]
    assert await names(fulfillments, {**STORE, "item_total": D("100.00")}, DE) == ["heavy", "post"]
    assert await names(fulfillments, {**STORE, "is_return": True}, DE) == ["return"]
    assert await names(fulfillments, STORE, US) == []
    assert await names(fulfillments, STORE, {**US, "province": "NY"}) == ["subway"]
    assert await names(fulfillments, STORE, {"country_code": "fr"}) == []
    assert await names(fulfillments, STORE, None) == ["post", "subway"]
    assert await names(fulfillments, STORE, None, filters={"id": subway}) == ["subway"]
    assert await names(fulfillments, STORE, DE, filters={"service_zone": {"fulfillment_set": {"name": "NY"}}}) == []
    (row,) = await fulfillments.list_shipping_options_for_context(
        STORE, address=DE, fields=("id", "name", "type.code", "service_zone.fulfillment_set_id", "provider_id")
    )
    assert (row["type"]["code"], row["provider_id"]) == ("post", "manual_manual")
    assert await fulfillments.validate_shipping_option(row["id"], STORE)
    assert not await fulfillments.validate_shipping_option(row["id"], {})


async def test_geo_zones_are_replaced_as_a_whole(fulfillments: FulfillmentService) -> None:
    zone = await zone_for(fulfillments, "Europe", {"type": "country", "country_code": "de"}, {"type": "country", "country_code": "dk"})
    await option_for(fulfillments, zone, "post")
    (kept,) = await fulfillments.list("geo_zone", {"country_code": "de"})
    changed = await keep(
        fulfillments.update_zones,
        [
            {
                "id": zone,
                "name": "EU",
                "geo_zones": [{"id": kept["id"], "type": "country", "country_code": "fr"}, {"type": "country", "country_code": "SE"}],
            }
        ],
    )
    assert sorted(row["country_code"] for row in await fulfillments.list("geo_zone")) == ["fr", "se"]
    assert await names(fulfillments, STORE, DE) == []
    with pytest.raises(NotFound):
        await fulfillments.update_zones([{"id": zone, "geo_zones": [{"id": "fgz_none", "type": "country", "country_code": "fr"}]}])
    with pytest.raises(InvalidData, match="province_code"):
        await fulfillments.create_geo_zones([{"type": "province", "country_code": "us", "service_zone_id": zone}])
    with pytest.raises(InvalidData, match="planet"):
        await fulfillments.create_geo_zones([{"type": "planet", "country_code": "us", "service_zone_id": zone}])
    assert sorted(row["country_code"] for row in await fulfillments.list("geo_zone")) == ["fr", "se"]
    await fulfillments.undo(changed["change"])
    assert await names(fulfillments, STORE, DE) == ["post"]


async def test_an_option_keeps_the_rules_that_are_named(fulfillments: FulfillmentService) -> None:
    zone = await zone_for(fulfillments, "Europe", {"type": "country", "country_code": "de"})
    option = await option_for(fulfillments, zone, "post", ("a", "eq", "1"), ("b", "in", ["1"]))
    first, _ = await fulfillments.list("shipping_option_rule", order=("id",))
    shown = ("name", "type.code", "rules.attribute", "rules.value")
    old = await fulfillments.retrieve("shipping_option", option, fields=shown)
    changed = await keep(
        fulfillments.update_options,
        [
            {
                "id": option,
                "name": "mail",
                "type": {"label": "Mail", "code": "mail"},
                "rules": [
                    {"id": first["id"], "attribute": "a", "operator": "eq", "value": "2"},
                    {"attribute": "c", "operator": "lt", "value": "9"},
                ],
            }
        ],
    )
    found = await fulfillments.retrieve("shipping_option", option, fields=shown)
    assert (found["name"], found["type"]["code"]) == ("mail", "mail")
    assert sorted((rule["attribute"], rule["value"]) for rule in found["rules"]) == [("a", "2"), ("c", "9")]
    assert [row["code"] for row in await fulfillments.list("shipping_option_type")] == ["mail"]
    with pytest.raises(InvalidData):
        await fulfillments.update_options([{"id": option, "name": "x", "rules": [{"attribute": "a", "operator": "in", "value": "1"}]}])
    assert (await fulfillments.retrieve("shipping_option", option))["name"] == "mail"
    for _ in range(2):
        await fulfillments.undo(changed["change"])
        assert await fulfillments.retrieve("shipping_option", option, fields=shown) == old
        assert [row["code"] for row in await fulfillments.list("shipping_option_type")] == ["post"]
    done = await fulfillments.batch_rules(
        [{"shipping_option_id": option, "attribute": "d", "operator": "ne", "value": "1"}], (), [first["id"]]
    )
    assert (len(done["created"]), done["updated"], done["deleted"]) == (1, [], [first["id"]])
    await fulfillments.undo(changed["change"])
    rules = (await fulfillments.retrieve("shipping_option", option, fields=shown))["rules"]
    assert sorted(rule["attribute"] for rule in rules) == ["b", "d"]  # what somebody else did since stays


async def test_what_options_need_can_not_be_deleted(fulfillments: FulfillmentService) -> None:
    zone = await zone_for(fulfillments, "Europe", {"type": "country", "country_code": "de"})
    used, free = [row["id"] for row in await fulfillments.create("shipping_profile", [{"name": n, "type": n} for n in "ab"])]
    option = await option_for(fulfillments, zone, "post", shipping_profile_id=used)
    (type_,) = await fulfillments.list("shipping_option_type")
    with pytest.raises(InvalidData, match="Delete those first"):
        await fulfillments.delete_profiles([free, used])
    with pytest.raises(InvalidData, match="are used"):
        await fulfillments.delete_types([type_["id"]])
    await fulfillments.delete("shipping_option", [option])
    assert await fulfillments.delete_profiles([free, used]) == [free, used]
    assert await fulfillments.delete_types([type_["id"]]) == [type_["id"]]


async def test_an_option_needs_a_type_and_things_that_are_there(fulfillments: FulfillmentService) -> None:
    zone = await zone_for(fulfillments, "Europe", {"type": "country", "country_code": "de"})
    with pytest.raises(InvalidData, match="type"):
        await option_for(fulfillments, zone, "post", type=None)
    with pytest.raises(NotFound):
        await option_for(fulfillments, zone, "post", provider_id="courier_none")
    with pytest.raises(NotFound):
        await option_for(fulfillments, "serzo_none", "post")
    assert await fulfillments.count("shipping_option_type") == 0


async def test_deleting_a_set_takes_everything_in_it_along(fulfillments: FulfillmentService) -> None:
    zone = await zone_for(fulfillments, "Europe", {"type": "country", "country_code": "de"})
    await option_for(fulfillments, zone, "post", ("a", "eq", "1"))
    (made,) = await fulfillments.list("fulfillment_set")
    await fulfillments.delete("fulfillment_set", [made["id"]])
    for entity in ("service_zone", "geo_zone", "shipping_option", "shipping_option_rule"):
        assert await fulfillments.count(entity) == 0
    await zone_for(fulfillments, "Europe", {"type": "country", "country_code": "de"})


async def test_a_provider_prices_options_for_a_cart(fulfillments: FulfillmentService) -> None:
    asked = {"provider_id": "courier_fast", "option_data": {}, "data": {}, "context": {"items": [1, 2, 3]}}
    assert await fulfillments.calculate_prices([asked]) == [{"calculated_amount": D("4.50"), "is_calculated_price_tax_inclusive": True}]
    assert await fulfillments.can_calculate([asked, {"provider_id": "manual_manual"}]) == [True, False]
    with pytest.raises(NotAllowed):
        await fulfillments.calculate_prices([asked | {"provider_id": "manual_manual"}])


def parcel(**more: Any) -> dict[str, Any]:
    items = [{"title": "Shirt", "sku": "S", "barcode": "", "quantity": D("1.5"), "line_item_id": "ordli_1"}]
    return {"location_id": "sloc_1", "provider_id": "courier_fast", "items": items, "delivery_address": {"city": "Bremen"}, **more}


async def test_a_fulfillment_is_recorded_carried_out_and_cancelled(fulfillments: FulfillmentService) -> None:
    made = await fulfillments.create_fulfillment(parcel(id="ful_1", data={"note": "x"}))
    again = await fulfillments.create_fulfillment(parcel(id="ful_1", data={"note": "x"}))
    assert made["id"] == again["id"] == "ful_1"
    assert made["data"] == {"note": "x", "parcel": 1}
    assert [label["tracking_number"] for label in again["labels"]] == ["T1"]
    assert [item["quantity"] for item in again["items"]] == [D("1.5")]
    assert made["delivery_address"]["city"] == "Bremen"
    await fulfillments.cancel_fulfillment("ful_1")
    canceled = await fulfillments.retrieve("fulfillment", "ful_1")
    assert canceled["canceled_at"] is not None
    await fulfillments.cancel_fulfillment("ful_1")
    assert (await fulfillments.retrieve("fulfillment", "ful_1"))["canceled_at"] == canceled["canceled_at"]
    assert fulfillments.providers.get("courier_fast").asked == [("create", "ful_1"), ("create", "ful_1"), ("cancel", "ful_1")]


async def test_a_refused_fulfillment_leaves_nothing_one_without_an_answer_stays(fulfillments: FulfillmentService) -> None:
    courier: Courier = fulfillments.providers.get("courier_fast")
    courier.fails = InvalidData("too heavy")
    with pytest.raises(InvalidData, match="too heavy"):
        await fulfillments.create_fulfillment(parcel())
    assert await fulfillments.count("fulfillment") == 0
    courier.fails = Unavailable("no answer")
    with pytest.raises(Unavailable):
        await fulfillments.create_fulfillment(parcel())
    assert await fulfillments.count("fulfillment") == 1


async def test_what_has_left_can_not_be_cancelled(fulfillments: FulfillmentService) -> None:
    made = await fulfillments.create_fulfillment(parcel())
    label = {"tracking_number": "T2", "tracking_url": "u", "label_url": "l"}
    shipped = await fulfillments.update_fulfillment(made["id"], {"shipped_at": "2026-11-22T10:00:00Z", "labels": [label]})
    assert [one["tracking_number"] for one in shipped["labels"]] == ["T2"]
    assert shipped["shipped_at"] == "2026-11-22T10:00:00.000Z"
    with pytest.raises(NotAllowed, match="shipped"):
        await fulfillments.cancel_fulfillment(made["id"])


async def test_nobody_ships_what_a_carrier_is_just_calling_off(fulfillments: FulfillmentService) -> None:
    courier: Courier = fulfillments.providers.get("courier_fast")
    made = await fulfillments.create_fulfillment(parcel())

    async def ship() -> None:
        with pytest.raises(NotAllowed, match="cancelled"):
            await fulfillments.update_fulfillment(made["id"], {"shipped_at": "2026-11-22T10:00:00Z"})

    courier.meanwhile = ship  # type: ignore[method-assign]
    courier.fails = Unavailable("no answer")
    with pytest.raises(Unavailable):
        await fulfillments.cancel_fulfillment(made["id"])
    await ship()  # nobody knows what the carrier does
    courier.fails = None
    await fulfillments.cancel_fulfillment(made["id"])
    canceled = await fulfillments.retrieve("fulfillment", made["id"])
    assert (canceled["canceled_at"] is not None, canceled["shipped_at"]) == (True, None)
    assert courier.asked[1:] == [("cancel", made["id"]), ("cancel", made["id"])]


async def test_what_nobody_can_call_off_any_more_can_be_shipped(fulfillments: FulfillmentService, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that was taken out of the settings wasn't asked; unless it was before, and didn't answer."""
    courier: Courier = fulfillments.providers.get("courier_fast")
    made, doubted = [await fulfillments.create_fulfillment(parcel()) for _ in range(2)]
    courier.fails = Unavailable("no answer")
    with pytest.raises(Unavailable):
        await fulfillments.cancel_fulfillment(doubted["id"])
    monkeypatch.delitem(fulfillments.providers._instances, "courier_fast")
    for one in (made, doubted):
        with pytest.raises(NotFound, match="courier_fast"):
            await fulfillments.cancel_fulfillment(one["id"])
    await fulfillments.ship(made["id"], [])
    with pytest.raises(NotAllowed):
        await fulfillments.ship(doubted["id"], [])


async def test_what_a_carrier_refuses_to_call_off_can_be_shipped(fulfillments: FulfillmentService) -> None:
    courier: Courier = fulfillments.providers.get("courier_fast")
    made = await fulfillments.create_fulfillment(parcel())
    courier.fails = NotAllowed("It is in the van")
    with pytest.raises(NotAllowed, match="van"):
        await fulfillments.cancel_fulfillment(made["id"])
    shipped = await fulfillments.update_fulfillment(made["id"], {"shipped_at": "2026-11-22T10:00:00Z"})
    assert (shipped["canceled_at"], shipped["shipped_at"]) == (None, "2026-11-22T10:00:00.000Z")


async def test_a_carrier_hears_of_a_cancelling_that_was_faster_than_its_answer(fulfillments: FulfillmentService) -> None:
    courier: Courier = fulfillments.providers.get("courier_fast")

    async def cancel() -> None:
        if courier.asked[-1] == ("create", "ful_1"):
            await fulfillments.cancel_fulfillment("ful_1")

    courier.meanwhile = cancel  # type: ignore[method-assign]
    made = await fulfillments.create_fulfillment(parcel(id="ful_1"))
    assert made["canceled_at"] is not None
    assert courier.asked == [("create", "ful_1"), ("cancel", "ful_1"), ("cancel", "ful_1")]
