"""Tax regions, rates and rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.flow import Flow, Kept, keep, step, take_back, workflow
from ..rows import Selector, delete_rows, selected

Row = dict[str, Any]

# -- regions


@step(undo=take_back)
async def insert_regions(flow: Flow, regions: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.tax.create_regions, regions)


@workflow("create-tax-regions")
async def create_tax_regions(flow: Flow, tax_regions: list[Row]) -> list[Row]:
    """Regions with their `default_tax_rate`. Raises InvalidData where a place has one already, NotFound for a parent or provider."""
    return (await flow.run(insert_regions, tax_regions))["answer"]


@step(undo=take_back)
async def change_regions(flow: Flow, updates: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.tax.update_regions, updates)


@workflow("update-tax-regions")
async def update_tax_regions(flow: Flow, updates: list[Row]) -> list[Row]:
    """Change regions, each by its id. Raises NotFound."""
    return (await flow.run(change_regions, updates))["answer"]


@workflow("delete-tax-regions")
async def delete_tax_regions(flow: Flow, ids: list[str]) -> list[str]:
    """Delete regions with their provinces and rates. The ids that were there."""
    return (await flow.run(delete_rows, "tax_region", ids))["answer"]


# -- rates


@step(undo=take_back)
async def insert_rates(flow: Flow, rates: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.tax.create_rates, rates)


@workflow("create-tax-rates")
async def create_tax_rates(flow: Flow, tax_rates: list[Row]) -> list[Row]:
    """Rates with their `rules`. Raises InvalidData for a second default rate of a region, NotFound for a region."""
    return (await flow.run(insert_rates, tax_rates))["answer"]


@step(undo=take_back)
async def change_rates(flow: Flow, updates: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.tax.update_rates, updates)


@workflow("update-tax-rates")
async def update_tax_rates(flow: Flow, selector: Selector, update: Row) -> list[Row]:
    """Change rates; `rules`, where named, replace the rules each has."""
    ids = await selected(flow, "tax_rate", selector)
    return (await flow.run(change_rates, [{**update, "id": id} for id in ids]))["answer"]


@workflow("delete-tax-rates")
async def delete_tax_rates(flow: Flow, ids: list[str]) -> list[str]:
    """The ids that were there."""
    return (await flow.run(delete_rows, "tax_rate", ids))["answer"]


# -- rules


@step(undo=take_back)
async def insert_rules(flow: Flow, rules: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.tax.create_rules, rules)


@workflow("create-tax-rate-rules")
async def create_tax_rate_rules(flow: Flow, rules: list[Row]) -> list[Row]:
    """Rules of rates (`tax_rate_id`). Raises InvalidData where a rate has one for the same thing, NotFound for a rate."""
    return (await flow.run(insert_rules, rules))["answer"]


@step(undo=take_back)
async def replace_rules(flow: Flow, tax_rate_ids: Sequence[str], rules: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.tax.set_rules, tax_rate_ids, rules)


@workflow("set-tax-rate-rules")
async def set_tax_rate_rules(flow: Flow, tax_rate_ids: list[str], rules: list[Row]) -> list[Row]:
    """Replace all rules of rates. The rates with their new `rules`. Raises NotFound."""
    return (await flow.run(replace_rules, tax_rate_ids, rules))["answer"]


@workflow("delete-tax-rate-rules")
async def delete_tax_rate_rules(flow: Flow, ids: list[str]) -> list[str]:
    """The ids that were there."""
    return (await flow.run(delete_rows, "tax_rate_rule", ids))["answer"]
