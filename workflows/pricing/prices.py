"""What variants cost: the price sets behind them, and how a buyer meets their prices."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol, TypedDict

from ...core.flow import Flow, step
from ...core.money import rounded
from ...modules import Modules

Row = dict[str, Any]
HUNDRED = Decimal(100)


class HasModules(Protocol):
    """A flow, a request, or a host."""

    @property
    def modules(self) -> Modules: ...


# -- asking


async def variant_prices(
    asker: HasModules, variant_ids: Sequence[str], context: Mapping[str, Any], *, taxed: Iterable[Row] = (), tax_context: Row | None = None
) -> dict[str, Row]:
    """What variants cost, by variant: the object that the API calls `calculated_price`. Those without a price are left out.

    `context`: `currency_code`, `region_id`, `quantity`, `customer` (see `PricingService.calculate_prices`).
    `tax_context` (`{address: {country_code, province_code?}, customer?}`) adds the amounts with and without tax, for the variants that
    `taxed` describes: `{id, product_id, product_type_id}`. Two statements, four with taxes.
    """
    priced, lines = await asyncio.gather(_priced(asker, variant_ids, context), _tax_lines(asker, list(taxed), tax_context))
    if tax_context is not None:
        for variant_id, price in priced.items():
            add_taxes(price, lines.get(variant_id, []))
    return priced


async def _priced(asker: HasModules, variant_ids: Sequence[str], context: Mapping[str, Any]) -> dict[str, Row]:
    ties = await asker.modules.link.linked("product_variant_price_set", "variant_id", variant_ids)
    found = await asker.modules.pricing.calculate_prices([tie["price_set_id"] for tie in ties], context)
    return {tie["variant_id"]: found[tie["price_set_id"]] for tie in ties if tie["price_set_id"] in found}


async def _tax_lines(asker: HasModules, variants: Sequence[Row], context: Row | None) -> dict[str, list[Row]]:
    if context is None or not variants:
        return {}
    items = [
        {
            "id": variant["id"],
            "variant_id": variant["id"],
            "product_id": variant["product_id"],
            "product_type_id": variant["product_type_id"],
        }
        for variant in variants
    ]
    by_variant: dict[str, list[Row]] = {}
    for line in await asker.modules.tax.get_tax_lines(items, (), context):
        by_variant.setdefault(line["line_item_id"], []).append(line)
    return by_variant


def add_taxes(price: Row, tax_lines: Sequence[Mapping[str, Any]]) -> None:
    """Put the amounts with and without tax into a calculated price, rounded to the currency. Rates are percent and add up."""
    rate = sum((Decimal(line["rate"]) for line in tax_lines), Decimal(0)) / HUNDRED
    for name in ("calculated", "original"):
        amount = price[f"{name}_amount"]
        if amount is None:
            continue
        currency = price["currency_code"]
        if price[f"is_{name}_price_tax_inclusive"]:
            with_tax, without = Decimal(amount), rounded(Decimal(amount) / (1 + rate), currency)
        else:
            with_tax, without = rounded(Decimal(amount) * (1 + rate), currency), Decimal(amount)
        price[f"{name}_amount_with_tax"], price[f"{name}_amount_without_tax"] = with_tax, without


# -- changing


async def _delete_price_sets(flow: Flow, ids: list[str]) -> None:
    await flow.modules.pricing.delete("price_set", ids)


@step(undo=_delete_price_sets)
async def create_price_sets(flow: Flow, rows: Sequence[Row]) -> list[str]:
    """Price sets with their prices; ids in the order given."""
    if not rows:
        return []
    return [row["id"] for row in await flow.modules.pricing.create_price_sets(rows)]


class PricesBefore(TypedDict):
    ids: list[str]
    before: dict[str, list[Row]]


async def _put_back_prices(flow: Flow, changed: PricesBefore) -> None:
    if changed["ids"]:
        await flow.modules.pricing.put_back_prices(changed["ids"], changed["before"])


@step(undo=_put_back_prices)
async def update_price_sets(flow: Flow, rows: Sequence[Row]) -> PricesBefore:
    """Replace the prices of sets: `{id, prices}`."""
    if not rows:
        return {"ids": [], "before": {}}
    changed = await flow.modules.pricing.update_price_sets(rows)
    return {"ids": [row["id"] for row in rows], "before": changed["before"]}
