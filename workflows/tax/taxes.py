"""Tax regions, rates and rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from ...core.flow import Flow, step, workflow
from ..rows import Selector, delete_rows, selected

Row = dict[str, Any]

# -- regions


async def _delete_regions(flow: Flow, regions: list[Row]) -> None:
    await flow.modules.tax.delete("tax_region", [row["id"] for row in regions])


@step(undo=_delete_regions)
async def insert_regions(flow: Flow, regions: Sequence[Row]) -> list[Row]:
    return await flow.modules.tax.create_regions(regions)


@workflow("create-tax-regions")
async def create_tax_regions(flow: Flow, tax_regions: list[Row]) -> list[Row]:
    """Regions with their `default_tax_rate`. Raises InvalidData where a place has one already, NotFound for a parent or provider."""
    return await flow.run(insert_regions, tax_regions)


class RegionsChanged(TypedDict):
    rows: list[Row]
    before: list[Row]


async def _put_back_regions(flow: Flow, changed: RegionsChanged) -> None:
    await flow.modules.tax.update_regions(changed["before"])


@step(undo=_put_back_regions)
async def change_regions(flow: Flow, updates: Sequence[Row]) -> RegionsChanged:
    before = {row["id"]: row for row in await flow.modules.tax.list("tax_region", {"id": [row["id"] for row in updates]})}
    rows = await flow.modules.tax.update_regions(updates)
    return {"rows": rows, "before": [{name: before[row["id"]][name] for name in row} for row in updates]}


@workflow("update-tax-regions")
async def update_tax_regions(flow: Flow, updates: list[Row]) -> list[Row]:
    """Change regions, each by its id. Raises NotFound."""
    return (await flow.run(change_regions, updates))["rows"]


@workflow("delete-tax-regions")
async def delete_tax_regions(flow: Flow, ids: list[str]) -> list[str]:
    """Delete regions with their provinces and rates. The ids that were there."""
    return [row["id"] for row in (await flow.run(delete_rows, "tax_region", ids))["rows"]]


# -- rates


async def _delete_rates(flow: Flow, rates: list[Row]) -> None:
    await flow.modules.tax.delete("tax_rate", [row["id"] for row in rates])


@step(undo=_delete_rates)
async def insert_rates(flow: Flow, rates: Sequence[Row]) -> list[Row]:
    return await flow.modules.tax.create_rates(rates)


@workflow("create-tax-rates")
async def create_tax_rates(flow: Flow, tax_rates: list[Row]) -> list[Row]:
    """Rates with their `rules`. Raises InvalidData for a second default rate of a region, NotFound for a region."""
    return await flow.run(insert_rates, tax_rates)


class RatesBefore(TypedDict):
    rates: list[Row]
    before: dict[str, list[Row]]


async def _put_back_rates(flow: Flow, changed: RatesBefore) -> None:
    await flow.modules.tax.put_back_rates([row["id"] for row in changed["rates"]], changed["before"])


@step(undo=_put_back_rates)
async def change_rates(flow: Flow, updates: Sequence[Row]) -> RatesBefore:
    changed = await flow.modules.tax.update_rates(updates)
    return {"rates": changed["rates"], "before": changed["before"]}


@workflow("update-tax-rates")
async def update_tax_rates(flow: Flow, selector: Selector, update: Row) -> list[Row]:
    """Change rates; `rules`, where named, replace the rules each has."""
    ids = await selected(flow, "tax_rate", selector)
    return (await flow.run(change_rates, [{**update, "id": id} for id in ids]))["rates"]


@workflow("delete-tax-rates")
async def delete_tax_rates(flow: Flow, ids: list[str]) -> list[str]:
    """The ids that were there."""
    return [row["id"] for row in (await flow.run(delete_rows, "tax_rate", ids))["rows"]]


# -- rules


async def _delete_rules(flow: Flow, rules: list[Row]) -> None:
    await flow.modules.tax.delete("tax_rate_rule", [row["id"] for row in rules])


@step(undo=_delete_rules)
async def insert_rules(flow: Flow, rules: Sequence[Row]) -> list[Row]:
    return await flow.modules.tax.create_rules(rules)


@workflow("create-tax-rate-rules")
async def create_tax_rate_rules(flow: Flow, rules: list[Row]) -> list[Row]:
    """Rules of rates (`tax_rate_id`). Raises InvalidData where a rate has one for the same thing, NotFound for a rate."""
    return await flow.run(insert_rules, rules)


@step(undo=_put_back_rates)
async def replace_rules(flow: Flow, tax_rate_ids: Sequence[str], rules: Sequence[Row]) -> RatesBefore:
    changed = await flow.modules.tax.set_rules(tax_rate_ids, rules)
    return {"rates": changed["rates"], "before": changed["before"]}


@workflow("set-tax-rate-rules")
async def set_tax_rate_rules(flow: Flow, tax_rate_ids: list[str], rules: list[Row]) -> list[Row]:
    """Replace all rules of rates. The rates with their new `rules`. Raises NotFound."""
    return (await flow.run(replace_rules, tax_rate_ids, rules))["rates"]


@workflow("delete-tax-rate-rules")
async def delete_tax_rate_rules(flow: Flow, ids: list[str]) -> list[str]:
    """The ids that were there."""
    return [row["id"] for row in (await flow.run(delete_rows, "tax_rate_rule", ids))["rows"]]
