"""Addresses of customers. One that becomes a default takes the place of the one that was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.flow import Flow, Kept, keep, step, take_back, workflow
from ..rows import Selector, delete_rows, selected

Row = dict[str, Any]


@step(undo=take_back)
async def insert_addresses(flow: Flow, addresses: Sequence[Row]) -> Kept[list[Row]]:
    return await keep(flow.modules.customer.create_addresses, addresses)


@step(undo=take_back)
async def change_addresses(flow: Flow, ids: Sequence[str], update: Row) -> Kept[list[Row]]:
    return await keep(flow.modules.customer.update_addresses, [{**update, "id": id} for id in ids])


@workflow("create-customer-addresses", hooks=("addressesCreated",))
async def create_customer_addresses(flow: Flow, addresses: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Addresses, each with its `customer_id`. Raises NotFound for a customer that isn't there."""
    made = (await flow.run(insert_addresses, addresses))["answer"]
    await flow.hooks.addressesCreated(made, additional_data)
    return made


@workflow("update-customer-addresses", hooks=("addressesUpdated",))
async def update_customer_addresses(flow: Flow, selector: Selector, update: Row, additional_data: Row | None = None) -> list[Row]:
    ids = await selected(flow, "customer_address", selector)
    changed = (await flow.run(change_addresses, ids, update))["answer"]
    await flow.hooks.addressesUpdated(changed, additional_data)
    return changed


@workflow("delete-customer-addresses", hooks=("addressesDeleted",))
async def delete_customer_addresses(flow: Flow, ids: list[str]) -> list[str]:
    """The ids that were there."""
    gone = (await flow.run(delete_rows, "customer_address", ids))["answer"]
    await flow.hooks.addressesDeleted(gone)
    return gone
