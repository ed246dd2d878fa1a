"""Admin: shipping options, with their prices and rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from ...core.errors import NotFound
from ...core.json import dumps
from ...workflows.fulfillment.options import (
    SHIPPING_OPTIONS,
    batch_shipping_option_rules,
    create_shipping_options,
    update_shipping_options,
)
from ..kit.bodies import ABSENT, Body, Number, Part
from ..kit.filters import BOOLEAN, MANY, STAMPS, TEXT, Filters, meaning
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.resource import require
from ..kit.routes import Routes
from ..kit.view import View
from ..kit.write import Write

routes = Routes()

SHIPPING_OPTION = View(
    "shipping_option",
    "id name price_type data provider_id metadata created_at updated_at *rules *type *prices *prices.price_rules *service_zone"
    " *shipping_profile *provider",
    limit=20,
)
RULE = View("shipping_option_rule", "*", key="rule")

PriceType = Literal["calculated", "flat"]
Operator = Literal["in", "eq", "ne", "gt", "gte", "lt", "lte", "nin"]
Metadata = dict[str, Any]
"""Here it may not be null."""


class CreateShippingOptionType(Body):
    label: str
    description: str = ABSENT
    code: str


class ShippingOptionRule(Body):
    operator: Operator
    attribute: str
    value: str | list[str]


class KnownRule(ShippingOptionRule):
    id: str


class ShippingOptionPriceRule(Part):
    attribute: Literal["item_total"]
    operator: Literal["gte", "lte", "gt", "lt", "eq"]
    value: Number


class CurrencyPrice(Body):
    currency_code: str
    amount: Number
    rules: list[ShippingOptionPriceRule] = ABSENT


class RegionPrice(Body):
    region_id: str
    amount: Number
    rules: list[ShippingOptionPriceRule] = ABSENT


class ChangedCurrencyPrice(CurrencyPrice):
    id: str = ABSENT
    currency_code: str = ABSENT
    amount: Number = ABSENT


class ChangedRegionPrice(RegionPrice):
    id: str = ABSENT
    region_id: str = ABSENT
    amount: Number = ABSENT


class OptionBody(Body):
    """What creating and updating have in common."""

    data: dict[str, Any] = ABSENT
    type: CreateShippingOptionType = ABSENT
    type_id: str = ABSENT
    metadata: Metadata = ABSENT

    @model_validator(mode="after")
    def _one_type(self) -> Self:
        if {"type", "type_id"} <= self.model_fields_set:
            raise PydanticCustomError("both_types", "Only one of 'type' and 'type_id' can be given")
        return self


class UpdateOption(OptionBody):
    name: str = ABSENT
    price_type: PriceType = ABSENT
    provider_id: str = ABSENT
    shipping_profile_id: str = ABSENT
    prices: list[ChangedCurrencyPrice | ChangedRegionPrice] = ABSENT
    rules: list[KnownRule | ShippingOptionRule] = ABSENT


class CreateShippingOption(OptionBody):
    name: str
    service_zone_id: str
    shipping_profile_id: str
    price_type: PriceType
    provider_id: str
    prices: list[CurrencyPrice | RegionPrice]
    rules: list[ShippingOptionRule] = ABSENT

    @model_validator(mode="after")
    def _some_type(self) -> Self:
        if not {"type", "type_id"} & self.model_fields_set:
            raise PydanticCustomError("no_type", "One of 'type' and 'type_id' is required")
        return self


class BatchShippingOptionRules(Body):
    create: list[ShippingOptionRule] = ABSENT
    update: list[KnownRule] = ABSENT
    delete: list[str] = ABSENT


# -- options


def ruled(attribute: str, value: str) -> Callable[[Any], dict[str, Any]]:
    """A filter for options that have this rule, or that don't."""
    rule = {"rules": {"attribute": attribute, "operator": "eq", "value": value}}
    return lambda given: rule if given else {"$not": rule}


routes.resource(
    "/admin/shipping-options",
    SHIPPING_OPTION,
    SHIPPING_OPTIONS,
    list=Filters(
        id=MANY,
        q=TEXT,
        service_zone_id=MANY,
        shipping_profile_id=MANY,
        provider_id=MANY,
        stock_location_id=meaning(MANY, "service_zone.fulfillment_set.location.id"),
        is_return=meaning(BOOLEAN, ruled("is_return", "true")),
        admin_only=meaning(BOOLEAN, ruled("enabled_in_store", "false")),
        shipping_option_type_id=MANY,
        **STAMPS,
    ),
    sources="location_fulfillment_set",
    summaries={"list": "List shipping options."},
    create=Write(CreateShippingOption, create_shipping_options),
    update=Write(UpdateOption, update_shipping_options),
)


# -- rules


@routes.post("/admin/shipping-options/{id}/rules/batch", body=BatchShippingOptionRules, returns=RULE)
async def batch_rules(request: Request) -> Answer:
    """Create, update and delete an option's rules: all of it, or nothing."""
    id = request.params["id"]
    await require(request, "shipping_option", [id])
    create = [{**rule, "shipping_option_id": id} for rule in request.body.get("create", ())]
    update, delete = request.body.get("update", []), request.body.get("delete", [])
    named = [rule["id"] for rule in update] + delete
    if named:
        ours = await request.modules.fulfillment.list("shipping_option_rule", {"id": named, "shipping_option_id": id}, fields=("id",))
        others = sorted(set(named) - {rule["id"] for rule in ours})
        if others:
            raise NotFound(f"Shipping option rule with id: {', '.join(others)} was not found")
    done = await request.run(batch_shipping_option_rules, create=create, update=update, delete=delete)
    deleted = {"ids": done["deleted"], "object": "shipping_option_rule", "deleted": True}
    return dumps({"created": done["created"], "updated": done["updated"], "deleted": deleted})
