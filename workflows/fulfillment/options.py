"""Shipping options with their prices; and the types that group them."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.errors import InvalidData, NotAllowed, NotFound
from ...core.ids import new_id
from ...core.rows import Row
from ...modules.fulfillment.service import FulfillmentService
from ..kit import Flow, workflow
from ..links import link
from ..plain import Plain
from ..pricing.prices import create_price_sets, update_price_sets
from ..rows import written

LINK = "shipping_option_price_set"

# -- options


insert_options = written("insert-options", lambda modules: modules.fulfillment.create_options)


@workflow("create-shipping-options-workflow", durable=True)
async def create_shipping_options(flow: Flow, options: list[Row]) -> list[Row]:
    """Options with their `type` (or `type_id`), `rules` and `prices`, in the order given.

    A price is `{currency_code | region_id, amount, rules?: [{attribute, operator, value}]}`. Raises NotAllowed for a provider that
    doesn't send from the zone's location, InvalidData for prices in unknown regions and for a calculated price that the provider
    doesn't calculate; NotFound for a zone, profile or type that isn't there.
    """
    await check_providers(flow, options)
    await check_calculated(flow, options)
    regions = await regions_of(flow, options)
    rows = [{**_without_prices(option), "id": new_id("so")} for option in options]
    flat = [(option["id"], given) for option, given in zip(rows, options, strict=True) if given.get("price_type") != "calculated"]
    sets = [{"prices": [price_of(price, regions) for price in given.get("prices") or ()]} for _, given in flat]
    inserted, priced = await flow.parallel((insert_options, rows), (create_price_sets, sets))
    made = inserted["answer"]
    pairs = [{"shipping_option_id": id, "price_set_id": each["id"]} for (id, _), each in zip(flat, priced["answer"], strict=True)]
    await link(flow, {LINK: pairs})
    for option in made:
        flow.emit("shipping-option.created", id=option["id"])
    return made


change_options = written("change-options", lambda modules: modules.fulfillment.update_options)


@workflow("update-shipping-options-workflow", emits=("shipping-option.updated",))
async def update_shipping_options(flow: Flow, options: list[Row]) -> list[Row]:
    """Change options, each by its id; `rules` and `prices`, where named, are all that it has afterwards.

    Raises NotFound, and InvalidData as `create_shipping_options` does.
    """
    if any(row.get("prices") is not None for row in options):
        flow.durably()
    known = {row["id"]: row for row in await flow.modules.fulfillment.list("shipping_option", {"id": [row["id"] for row in options]})}
    for row in options:
        if row["id"] not in known:
            raise NotFound(f"Shipping option with id: {row['id']} was not found")
    merged = [{**known[row["id"]], **row} for row in options]
    await check_providers(
        flow, [row for row, given in zip(merged, options, strict=True) if {"provider_id", "service_zone_id"} & given.keys()]
    )
    await check_calculated(flow, [row for row, given in zip(merged, options, strict=True) if {"provider_id", "price_type"} & given.keys()])
    changed = await flow.run(change_options, [_without_prices(row) for row in options])
    await _replace_prices(flow, [row for row in options if row.get("prices") is not None])
    for row in options:
        flow.emit("shipping-option.updated", id=row["id"])
    return changed["answer"]


async def _replace_prices(flow: Flow, rows: Sequence[Row]) -> None:
    if not rows:
        return
    regions = await regions_of(flow, rows)
    pairs = await flow.modules.link.linked(LINK, "shipping_option_id", [row["id"] for row in rows])
    sets = {pair["shipping_option_id"]: pair["price_set_id"] for pair in pairs}
    prices = {row["id"]: [price_of(price, regions) for price in row["prices"]] for row in rows}
    await flow.run(update_price_sets, [{"id": sets[id], "prices": each} for id, each in prices.items() if id in sets])
    without = [id for id in prices if id not in sets]  # its price was calculated until now
    made = (await flow.run(create_price_sets, [{"prices": prices[id]} for id in without]))["answer"]
    pairs = [{"shipping_option_id": id, "price_set_id": each["id"]} for id, each in zip(without, made, strict=True)]
    await link(flow, {LINK: pairs})


SHIPPING_OPTIONS = Plain("shipping_option", delete="delete-shipping-options-workflow", event="shipping-option")


change_option_rules = written("change-option-rules", lambda modules: modules.fulfillment.batch_rules)


@workflow("batch-shipping-option-rules")
async def batch_shipping_option_rules(
    flow: Flow, create: list[Row] | None = None, update: list[Row] | None = None, delete: list[str] | None = None
) -> Row:
    """Create, update and delete rules: all of it, or nothing. `{"created": rows, "updated": rows, "deleted": ids}`."""
    return (await flow.run(change_option_rules, create or [], update or [], delete or []))["answer"]


# -- checks


async def check_providers(flow: Flow, options: Sequence[Row]) -> None:
    """Raises NotAllowed where an option's provider doesn't send from the location of its zone, NotFound for an unknown zone."""
    named = [option for option in options if option.get("provider_id")]
    if not named:
        return
    wanted = sorted({option["service_zone_id"] for option in named})
    zones = await flow.modules.fulfillment.list("service_zone", {"id": wanted}, fields=("id", "fulfillment_set_id"))
    sets = {row["id"]: row["fulfillment_set_id"] for row in zones}
    for id in wanted:
        if id not in sets:
            raise NotFound(f"Service zone with id: {id} was not found")
    link = flow.modules.link
    located = {
        pair["fulfillment_set_id"]: pair["stock_location_id"]
        for pair in await link.linked("location_fulfillment_set", "fulfillment_set_id", sorted(set(sets.values())))
    }
    enabled = {
        (pair["stock_location_id"], pair["fulfillment_provider_id"])
        for pair in await link.linked("location_fulfillment_provider", "stock_location_id", sorted(set(located.values())))
    }
    lost = [o["provider_id"] for o in named if (located.get(sets[o["service_zone_id"]], ""), o["provider_id"]) not in enabled]
    if lost:
        raise NotAllowed(f"Providers ({', '.join(dict.fromkeys(lost))}) are not enabled for the service location")


async def check_calculated(flow: Flow, options: Sequence[Row]) -> None:
    """Raises InvalidData for an option with a calculated price whose provider doesn't calculate it."""
    calculated = [option for option in options if option.get("price_type") == "calculated"]
    if not calculated:
        return
    able = await flow.modules.fulfillment.can_calculate(calculated)
    lost = [str(option["name"]) for option, can in zip(calculated, able, strict=True) if not can]
    if lost:
        raise InvalidData(f"The provider can't calculate the price of: {', '.join(lost)}")


async def regions_of(flow: Flow, options: Sequence[Row]) -> dict[str, str]:
    """The currencies of the regions that prices are for. Raises InvalidData for a region that isn't there."""
    wanted = sorted({price["region_id"] for option in options for price in option.get("prices") or () if price.get("region_id")})
    if not wanted:
        return {}
    rows = await flow.modules.region.list("region", {"id": wanted}, fields=("id", "currency_code"))
    regions = {row["id"]: row["currency_code"] for row in rows}
    lost = [id for id in wanted if id not in regions]
    if lost:
        raise InvalidData(f"Prices can't be for regions that don't exist: {', '.join(lost)}")
    return regions


def price_of(price: Row, regions: dict[str, str]) -> Row:
    """An option's price as price sets take it: a region's price is one in its currency with a rule about the region."""
    made = {name: price[name] for name in ("id", "amount", "currency_code") if price.get(name) is not None}
    rules: Row = {}
    for rule in price.get("rules") or ():
        rules.setdefault(rule["attribute"], []).append({"operator": rule["operator"], "value": rule["value"]})
    if price.get("region_id"):
        made["currency_code"] = regions[price["region_id"]]
        rules["region_id"] = price["region_id"]
    if rules or "rules" in price or "id" not in made:
        made["rules"] = rules
    return made


def _without_prices(option: Row) -> Row:
    return {name: value for name, value in option.items() if name != "prices"}


# -- types

OPTION_TYPES = Plain(
    "shipping_option_type",
    "create-shipping-option-types",
    "update-shipping-option-types",
    "delete-shipping-option-types",
    hooks="shippingOptionTypes",
    event="shipping-option-type",
    delete_by=FulfillmentService.delete_types,
)
