"""The tax module's messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import asyncpg

from ...core.errors import InvalidData, NotFound, UnexpectedState
from ...core.ids import new_id
from ...core.message import reads, writes
from ...core.plugins import rules_of
from ...core.rows import Row, Rows
from ...core.rules import Condition
from ...core.service.module import ModuleService
from ...core.service.provider_rows import keep_provider_rows
from ...core.service.remembering import remembered
from .provider import CalculatedTaxLine, Taxable, TaxProvider
from .queries import COUNTRY_REGIONS, HAS_RULES, LOCK_RATES, RATES, REGIONS, RULES_OF_RATES
from .rates import PARTICULAR, Rate, Reference, check_rate, is_rate, provinces, rates_for, references_of
from .tables import SCHEMA, tax_provider
from .types import CalculatedTax, TaxableItem, TaxableMethod

DEFAULT_PROVIDER = "tp_system"
"""The provider for regions that name none."""


class TaxService(ModuleService):
    """Tax regions and rates, and the taxes on carts."""

    name: ClassVar[str] = "tax"
    schema = SCHEMA

    async def start(self) -> None:
        await super().start()
        await keep_provider_rows(self, tax_provider)

    # -- taxes

    @cached_property
    def _own_conditions(self) -> tuple[Sequence[Condition], Collection[str]]:
        """What plugins say that rules of rates can be about, and the kinds of rules that go before others."""
        conditions = rules_of(self.context.settings).about("taxes")
        return conditions, {*PARTICULAR, *(condition.attribute for condition in conditions if condition.particular)}

    @reads
    async def get_tax_lines(
        self, items: Sequence[TaxableItem], shipping: Sequence[TaxableMethod] = (), context: Mapping[str, Any] | None = None
    ) -> list[CalculatedTax]:
        """The taxes on a whole cart. `context` has the `address` with `country_code` and optionally `province_code` (or `province`).

        A line may have none, one, or two that add up. Without a country, or where the shop has no tax region for it, there are none.
        Whether prices include the taxes doesn't matter here. Raises UnexpectedState for what a provider says that is no tax.
        """
        address = (context or {}).get("address") or {}
        country = (address.get("country_code") or "").strip().lower()
        items = [item for item in items if not item.get("is_giftcard")]
        if not country or not (items or shipping):
            return []
        conditions, particular = self._own_conditions
        about: dict[str, frozenset[Reference]] = {}
        if await self._has_rules(country):
            about = {line["id"]: references_of(line, context or {}, conditions) for line in (*items, *shipping)}
        references = sorted({id for each in about.values() for _, id in each})
        found = await self._rates(country, provinces(address.get("province_code") or address.get("province"), country), references)
        region = next((row for row in found if row["province_code"] is None), None)
        if region is None:
            return []
        rates = [_rate(row) for row in found if row["id"] is not None]
        taxables = [
            Taxable(line, rates_for(about.get(line["id"], frozenset()), rates, particular), is_shipping)
            for group, is_shipping in ((items, False), (shipping, True))
            for line in group
        ]
        provider_id = region["provider_id"] or DEFAULT_PROVIDER
        provider: TaxProvider = self.providers.get(provider_id)
        lines = await provider.tax_lines(taxables, context or {})
        asked = {taxable.line["id"] for taxable in taxables}
        for line in lines if provider_id != DEFAULT_PROVIDER else ():  # the shop's own rates were checked when they were entered
            if line.line_id not in asked or not is_rate(line.rate):
                raise UnexpectedState(f"The tax provider {provider_id} asks for {line.rate!r} percent of {line.line_id}, which is no tax")
        return [_calculated(line, provider) for line in lines]

    @remembered("tax_rate", "tax_rate_rule", "tax_region")
    async def _rates(self, country: str, provinces: list[str], references: list[str]) -> Rows:
        """The regions of an address, each with the rates that could apply to these things."""
        given = {"country": country, "provinces": provinces, "reference_ids": references}
        return [dict(row) for row in await self.database.fetch(RATES, given)]

    @remembered("tax_rate", "tax_rate_rule", "tax_region")
    async def _has_rules(self, country: str) -> bool:
        """Whether the country, or a province of it, has a rate with rules."""
        return bool(await self.database.fetch_value(HAS_RULES, {"country": country}))

    # -- regions and rates

    @writes
    async def create_regions(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create tax regions; `default_tax_rate` of a row becomes the default rate of its region.

        A province without `parent_id` belongs to its country's region where there is one. Raises InvalidData if there
        is a region for the same place already, or if a parent doesn't exist or is of another country.
        """
        regions: Rows = [{"id": new_id("txreg"), **_normal(row, without="default_tax_rate")} for row in rows]
        await self._find_parents(regions)
        created = await self.create("tax_region", regions)
        defaults = [
            {**row["default_tax_rate"], "tax_region_id": region["id"], "is_default": True, "created_by": region.get("created_by")}
            for region, row in zip(regions, rows, strict=True)
            if row.get("default_tax_rate")
        ]
        for default in defaults:
            check_rate(default.get("rate"))
        if defaults:
            await self.create("tax_rate", defaults)
        return created

    @writes
    async def update_regions(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Update tax regions, each named by its id."""
        return await self.update("tax_region", [_normal(row) for row in rows])

    @writes
    async def create_rates(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create tax rates; `rules` of a row are created with it. Raises InvalidData for a second default rate of a region."""
        rates: Rows = [{"id": new_id("txr"), **{name: value for name, value in row.items() if name != "rules"}} for row in rows]
        for rate in rates:
            check_rate(rate.get("rate"))
        created = await self.create("tax_rate", rates)
        rules = [
            {**rule, "tax_rate_id": rate["id"], "created_by": rate.get("created_by")}
            for rate, row in zip(rates, rows, strict=True)
            for rule in row.get("rules") or ()
        ]
        if rules:
            await self.create_rules(rules)
        return created

    @writes
    async def update_rates(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Update tax rates, each named by its id. `rules`, where a row names them, replace the old ones, created by `updated_by`.

        Raises NotFound if a rate is missing: nothing changes.
        """
        for row in rows:
            check_rate(row.get("rate"))
        ids = [row["id"] for row in rows]
        await self._hold_rates(ids)
        columns = [{name: value for name, value in row.items() if name not in ("rules", "updated_by")} for row in rows]
        updated = await self.update("tax_rate", columns)
        for row in rows:
            if row.get("rules") is not None:
                await self._replace_rules([row["id"]], [{"created_by": row.get("updated_by"), **rule} for rule in row["rules"]])
        return updated

    @writes
    async def set_rules(self, tax_rate_ids: Sequence[str], rules: Sequence[Mapping[str, Any]]) -> Rows:
        """Replace all rules of rates: each of them gets the given ones (`reference`, `reference_id`). Raises NotFound."""
        ids = list(dict.fromkeys(tax_rate_ids))
        await self._hold_rates(ids)
        await self._replace_rules(ids, rules)
        return await self.list("tax_rate", {"id": ids}, fields=("*", "rules.*"))

    @writes
    async def create_rules(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Create rules of rates. Raises InvalidData where a rate has a rule for the same thing already."""
        created = await self.create("tax_rate_rule", rows)
        self.touch("tax_rate")
        return created

    # -- inside

    async def _hold_rates(self, ids: Sequence[str]) -> None:
        """Lock rates before a change. Raises NotFound."""
        there = {row["id"] for row in await self.database.fetch(LOCK_RATES, {"ids": list(ids)})}
        for id in ids:
            if id not in there:
                raise NotFound(f"Tax rate with id: {id} was not found")

    async def _replace_rules(self, ids: Sequence[str], rules: Sequence[Mapping[str, Any]]) -> None:
        old = [row["id"] for row in await self.database.fetch(RULES_OF_RATES, {"ids": list(ids)})]
        await self.delete("tax_rate_rule", old)
        await self.create_rules([{**rule, "tax_rate_id": id} for id in ids for rule in rules])

    async def _find_parents(self, regions: Rows) -> None:
        """Fill in the parents of provinces, and check the ones that are named."""
        named = {region["parent_id"] for region in regions if region.get("parent_id")}
        parents = {row["id"]: row for row in await self.database.fetch(REGIONS, {"ids": sorted(named)})} if named else {}
        orphans = {region["country_code"] for region in regions if region.get("province_code") and not region.get("parent_id")}
        countries: dict[str, str] = {}
        if orphans:
            found = await self.database.fetch(COUNTRY_REGIONS, {"countries": sorted(orphans)})
            countries = {row["country_code"]: row["id"] for row in found}
        for region in regions:
            if region.get("parent_id"):
                _check_parent(region, parents)
            elif region.get("province_code"):
                region["parent_id"] = countries.get(region["country_code"])


def _check_parent(region: Row, parents: Mapping[str, asyncpg.Record]) -> None:
    parent = parents.get(region["parent_id"])
    if parent is None:
        raise InvalidData(f"Tax region with id: {region['parent_id']}, the parent, was not found")
    if not region.get("province_code"):
        raise InvalidData("A tax region with a parent needs a province_code")
    if parent["country_code"] != region["country_code"]:
        raise InvalidData(
            f"Province {region['province_code']} is of {region['country_code']}, its parent tax region of {parent['country_code']}"
        )


def _normal(row: Mapping[str, Any], *, without: str = "") -> Row:
    """A region's row with its codes in lower case, as they are compared."""
    normal = {name: value for name, value in row.items() if name != without}
    for name in ("country_code", "province_code"):
        if isinstance(normal.get(name), str):
            normal[name] = normal[name].strip().lower()
    return normal


def _rate(row: Row) -> Rate:
    return Rate(
        id=row["id"],
        rate=row["rate"],
        code=row["code"],
        name=row["name"],
        is_default=row["is_default"],
        is_combinable=row["is_combinable"],
        region_id=row["region_id"],
        parent_id=row["parent_id"],
        of_province=row["province_code"] is not None,
        references=frozenset((reference, id) for reference, id in row["rules"] or ()),
    )


def _calculated(line: CalculatedTaxLine, provider: TaxProvider) -> CalculatedTax:
    tax: CalculatedTax = {
        "rate_id": line.rate_id,
        "rate": line.rate,
        "code": line.code,
        "name": line.name,
        "provider_id": provider.identifier,
    }
    tax["shipping_line_id" if line.is_shipping else "line_item_id"] = line.line_id
    return tax
