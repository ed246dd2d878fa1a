"""Price lists: sales, and prices for some customers only."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.errors import InvalidData
from ...core.rows import Row
from ...modules.pricing.service import PricingService
from ...modules.pricing.types import ListPricesChanged, PriceList
from ..kit import Flow, step, workflow
from ..plain import Plain
from ..rows import written

PRICED = "product_variant_price_set"


insert_lists = written("insert-lists", lambda modules: modules.pricing.create_price_lists)


@step(reads=True)
async def price_sets_of(flow: Flow, variant_ids: Iterable[str]) -> dict[str, str]:
    """Variant → its price set. Raises InvalidData for variants without one."""
    wanted = sorted(set(variant_ids))
    pairs = await flow.modules.link.linked(PRICED, "variant_id", wanted) if wanted else []
    sets = {pair["variant_id"]: pair["price_set_id"] for pair in pairs}
    if lost := [id for id in wanted if id not in sets]:
        raise InvalidData(f"No priceset exist for variants: {', '.join(lost)}")
    return sets


def _in_sets(prices: Iterable[Row], sets: dict[str, str]) -> list[Row]:
    """Prices of variants as prices of their sets."""
    return [
        {name: value for name, value in price.items() if name != "variant_id"} | {"price_set_id": sets[price["variant_id"]]}
        for price in prices
    ]


@workflow("create-price-lists")
async def create_price_lists(flow: Flow, price_lists_data: list[Row]) -> list[PriceList]:
    """Create price lists with `rules` and `prices`, each for a variant (`variant_id`).

    Raises InvalidData for a variant without a price set, and for an end before the start.
    """
    sets = await flow.run(price_sets_of, [price["variant_id"] for row in price_lists_data for price in row.get("prices") or ()])
    lists = [{**row, "prices": _in_sets(row.get("prices") or (), sets)} for row in price_lists_data]
    return (await flow.run(insert_lists, lists))["answer"]


PRICE_LISTS = Plain("price_list", update="update-price-lists", delete="delete-price-lists", update_by=PricingService.update_price_lists)


change_prices = written("change-prices", lambda modules: modules.pricing.change_list_prices)


@workflow("batch-price-list-prices")
async def batch_price_list_prices(flow: Flow, id: str, create: list[Row], update: list[Row], delete: list[str]) -> ListPricesChanged:
    """Create, change and delete prices of a list: all of it, or nothing.

    Raises NotFound for the list and for prices that aren't the list's, InvalidData for a variant without a price set.
    """
    sets = await flow.run(price_sets_of, [row["variant_id"] for row in create])
    changed = [{name: value for name, value in row.items() if name != "variant_id"} for row in update]
    return (await flow.run(change_prices, id, _in_sets(create, sets), changed, delete))["answer"]
