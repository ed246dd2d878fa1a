"""Shipping options: what they are, whom they are for, and what their providers say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...core.errors import InvalidData, NotFound, UnexpectedState
from ...core.ids import new_id
from ...core.message import reads, writes
from ...core.rows import Row, Rows, Typed, TypedRows
from ...core.service.module import Keys
from ...core.service.remembering import remembered
from .asking import AsksProviders
from .matching import Destination, check_rules, lies_in, rules_hold
from .provider import FulfillmentProvider
from .queries import GEO_ZONES, LOCK_OPTIONS, LOCK_TYPES, RULES_OF, TYPES_IN_USE
from .types import PriceQuestion, QuotedPrice

SETTINGS = (
    "fulfillment_provider",
    "fulfillment_set",
    "geo_zone",
    "service_zone",
    "shipping_option",
    "shipping_option_rule",
    "shipping_option_type",
    "shipping_profile",
)
"""The entities that decide which options can be chosen, and for which addresses."""
_NESTED = ("type", "type_id", "rules")
Flags = list[bool]


class ShippingOptions(AsksProviders):
    """Shipping options, their types and rules."""

    # -- which of them

    @reads
    async def list_shipping_options_for_context(
        self,
        context: Mapping[str, Any] | None = None,
        *,
        address: Mapping[str, Any] | None = None,
        filters: Mapping[str, Any] | None = None,
        fields: Sequence[str] = ("*",),
    ) -> TypedRows[Typed]:
        """The options that can be chosen in a context: their zone holds the address and all their rules hold. Of the type that the caller
        declares.

        `context` is what rules speak of: `enabled_in_store`, `is_return`, whatever else (values, or lists of them;
        attributes may be paths); None: the rules aren't asked. `address` has `country_code`, `province_code` (or `province`),
        `city`, `postal_code`; without a country the address rules nothing out. `filters` is the usual grammar over shipping options.
        """
        wanted = dict(filters or {})
        destination = Destination.of(address)
        if destination is not None:
            zones = await self._zones_that_hold(destination)
            if not zones:
                return []
            wanted = {"$and": [wanted, {"service_zone_id": zones}]} if wanted else {"service_zone_id": zones}
        rows: Any = await self._options(wanted, (*fields, "rules.*"))
        options: TypedRows[Typed] = [row for row in rows if context is None or rules_hold(row["rules"], context)]
        return options

    @reads
    async def validate_shipping_option(self, id: str, context: Mapping[str, Any]) -> bool:
        """Whether the rules of an option hold in a context. Raises NotFound."""
        option = await self.retrieve("shipping_option", id, fields=("id", "rules.*"))
        return rules_hold(option["rules"], context)

    # -- what they are

    @writes
    async def create_options(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create shipping options.

        A row names its type by `type_id`, or describes one in `type` (`label`, `code`, `description`) that is created for
        it; its `rules` are created with it. Raises InvalidData for a rule that can't be evaluated or a missing type,
        NotFound for a zone, profile, provider or type that isn't there.
        """
        options: Rows = []
        types: Rows = []
        rules: Rows = []
        for row in rows:
            option = {"id": new_id("so"), **_plain(row)}
            if row.get("type"):
                option["shipping_option_type_id"] = new_id("sotype")
                types.append({**row["type"], "id": option["shipping_option_type_id"]})
            elif row.get("type_id"):
                option["shipping_option_type_id"] = row["type_id"]
            if not option.get("shipping_option_type_id"):
                raise InvalidData(f"Shipping option {row.get('name')} needs a type or a type_id")
            rules += [{**rule, "shipping_option_id": option["id"]} for rule in row.get("rules") or ()]
            options.append(option)
        await self.create("shipping_option_type", types)
        created = await self.create("shipping_option", options)
        await self.create_rules(rules)
        return created

    @writes
    async def update_options(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Update shipping options, each named by its id.

        `rules`, where a row names them, are all that the option has afterwards: those with an `id` stay and are updated,
        those without are new, the others go. `type` describes a new type that takes the place of the one it has.
        """
        ids = [row["id"] for row in rows]
        held = {row["id"]: row for row in await self.database.fetch(LOCK_OPTIONS, {"ids": ids})}
        for id in ids:
            if id not in held:
                raise NotFound(f"Shipping option with id: {id} was not found")
        options: Rows = []
        types: Rows = []
        replaced: Keys = []
        for row in rows:
            option = _plain(row)
            if row.get("type"):
                option["shipping_option_type_id"] = new_id("sotype")
                types.append({**row["type"], "id": option["shipping_option_type_id"]})
                replaced.append(held[row["id"]]["shipping_option_type_id"])
            elif row.get("type_id"):
                option["shipping_option_type_id"] = row["type_id"]
            options.append(option)
        await self.create("shipping_option_type", types)
        updated = await self.update("shipping_option", options)
        for row in rows:
            if row.get("rules") is not None:
                await self._replace_rules(row["id"], row["rules"])
        await self._forget_unused_types(replaced)
        return updated

    @writes
    async def create_rules(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create rules of options. Raises InvalidData for one that can't be evaluated."""
        check_rules(rows)
        created = await self.create("shipping_option_rule", rows)
        self.touch("shipping_option")
        return created

    @writes
    async def update_rules(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Update rules, each named by its id, with `attribute`, `operator` and `value`."""
        check_rules(rows)
        updated = await self.update("shipping_option_rule", rows)
        self.touch("shipping_option")
        return updated

    @writes
    async def batch_rules(
        self, create: Sequence[Mapping[str, Any]] = (), update: Sequence[Mapping[str, Any]] = (), delete: Sequence[str] = ()
    ) -> Row:
        """Create, update and delete rules: all of it, or nothing. `{"created": rows, "updated": rows, "deleted": ids}`."""
        deleted = await self.delete("shipping_option_rule", delete)
        self.touch("shipping_option")
        return {"created": await self.create_rules(create), "updated": await self.update_rules(update), "deleted": deleted}

    @writes
    async def delete_types(self, ids: Sequence[str]) -> Keys:
        """Delete types of options. Raises InvalidData where an option is of one of them: nothing is deleted."""
        await self.database.fetch(LOCK_TYPES, {"ids": list(ids)})
        used = [row[0] for row in await self.database.fetch(TYPES_IN_USE, {"ids": list(ids)})]
        if used:
            raise InvalidData(f"Shipping option types {', '.join(sorted(used))} are used by shipping options")
        return await self.delete("shipping_option_type", ids)

    # -- what their providers say

    @reads
    async def provider_options(self, provider_id: str) -> Rows:
        """The ways of sending that a provider offers to build options on. Raises NotFound."""
        return await self._provider(provider_id).options()

    @reads
    async def validate_fulfillment_option(self, provider_id: str, data: Mapping[str, Any]) -> bool:
        """Whether the provider can work with the provider data of an option."""
        return await self._provider(provider_id).validate_option(data)

    @reads
    async def validate_fulfillment_data(
        self, provider_id: str, option_data: Mapping[str, Any], data: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Row:
        """What is to be kept of the data a buyer sends with the choice of an option. Raises InvalidData as the provider says."""
        return await self._provider(provider_id).validate_data(option_data or {}, data or {}, context)

    @reads
    async def can_calculate(self, options: Sequence[Mapping[str, Any]]) -> Flags:
        """Of each option (with its `provider_id`), whether its provider can price it."""
        return [await self._provider(option["provider_id"]).can_calculate(option) for option in options]

    @reads
    async def calculate_prices(self, options: Sequence[PriceQuestion]) -> list[QuotedPrice]:
        """What options cost, in their order. Raises UnexpectedState for a provider whose price is none."""
        prices: list[QuotedPrice] = []
        for option in options:
            provider = self._provider(option["provider_id"])
            answer = provider.calculate_price(option.get("option_data") or {}, option.get("data") or {}, option.get("context") or {})
            price = await self.asked(option["provider_id"], answer)
            if not price.amount.is_finite() or price.amount < 0:
                raise UnexpectedState(f"Fulfillment provider {option['provider_id']} asks for {price.amount}, which is no price")
            prices.append({"calculated_amount": price.amount, "is_calculated_price_tax_inclusive": price.is_tax_inclusive})
        return prices

    # -- inside

    def _provider(self, id: str) -> FulfillmentProvider:
        provider: FulfillmentProvider = self.providers.get(id)
        return provider

    async def _zones_that_hold(self, destination: Destination) -> Keys:
        zones = await self._zones_of(destination.country)
        return sorted({zone["service_zone_id"] for zone in zones if lies_in(zone, destination)})

    @remembered(*SETTINGS)
    async def _zones_of(self, country: str) -> Rows:
        return [dict(zone) for zone in await self.database.fetch(GEO_ZONES, {"country": country})]

    @remembered(*SETTINGS)
    async def _options(self, wanted: Mapping[str, Any], fields: Sequence[str]) -> Rows:
        return await self.list("shipping_option", wanted, fields=fields)

    async def _replace_rules(self, option_id: str, rules: Sequence[Mapping[str, Any]]) -> None:
        current = {row["id"] for row in await self.database.fetch(RULES_OF, {"ids": [option_id]})}
        kept = [rule for rule in rules if rule.get("id")]
        for rule in kept:
            if rule["id"] not in current:
                raise NotFound(f"Shipping option rule with id: {rule['id']} was not found in shipping option {option_id}")
        await self.delete("shipping_option_rule", sorted(current - {rule["id"] for rule in kept}))
        await self.update_rules(kept)
        await self.create_rules([{**rule, "shipping_option_id": option_id} for rule in rules if not rule.get("id")])

    async def _forget_unused_types(self, ids: Sequence[str]) -> None:
        if ids:
            await self.database.fetch(LOCK_TYPES, {"ids": list(ids)})
            used = {row[0] for row in await self.database.fetch(TYPES_IN_USE, {"ids": list(ids)})}
            await self.delete("shipping_option_type", sorted(set(ids) - used))


def _plain(row: Mapping[str, Any]) -> Row:
    return {name: value for name, value in row.items() if name not in _NESTED}
