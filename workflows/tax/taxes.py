"""Tax regions, rates and rules."""

from __future__ import annotations

from ...core.rows import Row
from ...modules.tax.service import TaxService
from ..kit import Flow, workflow
from ..plain import Plain
from ..rows import written

TAX_REGIONS = Plain(
    "tax_region",
    "create-tax-regions",
    "update-tax-regions",
    "delete-tax-regions",
    create_by=TaxService.create_regions,
    update_by=TaxService.update_regions,
)
TAX_RATES = Plain(
    "tax_rate",
    "create-tax-rates",
    "update-tax-rates",
    "delete-tax-rates",
    create_by=TaxService.create_rates,
    update_by=TaxService.update_rates,
)
TAX_RATE_RULES = Plain("tax_rate_rule", create="create-tax-rate-rules", delete="delete-tax-rate-rules", create_by=TaxService.create_rules)


replace_rules = written("replace-rules", lambda modules: modules.tax.set_rules)


@workflow("set-tax-rate-rules")
async def set_tax_rate_rules(flow: Flow, tax_rate_ids: list[str], rules: list[Row]) -> list[Row]:
    """Replace all rules of rates. Returns the rates with their new `rules`. Raises NotFound."""
    return (await flow.run(replace_rules, tax_rate_ids, rules))["answer"]
