"""Addresses of customers. One that becomes a default takes the place of the one that was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

from ...core.flow import Flow, step, workflow
from ..rows import Selector, delete_rows, selected

Row = dict[str, Any]

DEFAULTS = ("is_default_shipping", "is_default_billing")


class AddressesBefore(TypedDict):
    made: list[Row]
    changed: list[Row]
    """What the changed columns held."""
    defaults: list[Row]
    """The addresses that were defaults of these customers."""


async def _defaults(flow: Flow, customer_ids: Iterable[str]) -> list[Row]:
    wanted: Row = {"customer_id": sorted(set(customer_ids)), "$or": [{name: True} for name in DEFAULTS]}
    return await flow.modules.customer.list("customer_address", wanted, fields=("id", *DEFAULTS))


async def _put_back(flow: Flow, before: AddressesBefore) -> None:
    customers = flow.modules.customer
    await customers.delete("customer_address", [row["id"] for row in before["made"]])
    await customers.update_addresses(before["changed"])
    await customers.update_addresses(before["defaults"])


@step(undo=_put_back)
async def insert_addresses(flow: Flow, addresses: Sequence[Row]) -> AddressesBefore:
    taking = [address["customer_id"] for address in addresses if any(address.get(name) for name in DEFAULTS)]
    defaults = await _defaults(flow, taking) if taking else []
    made = await flow.modules.customer.create_addresses(addresses)
    return {"made": made, "changed": [], "defaults": defaults}


@step(undo=_put_back)
async def change_addresses(flow: Flow, ids: Sequence[str], update: Row) -> AddressesBefore:
    before = await flow.modules.customer.list("customer_address", {"id": list(ids)})
    defaults = await _defaults(flow, [row["customer_id"] for row in before]) if any(update.get(name) for name in DEFAULTS) else []
    await flow.modules.customer.update_addresses([{**update, "id": id} for id in ids])
    return {"made": [], "changed": [{name: row[name] for name in ("id", *update)} for row in before], "defaults": defaults}


@workflow("create-customer-addresses", hooks=("addressesCreated",))
async def create_customer_addresses(flow: Flow, addresses: list[Row], additional_data: Row | None = None) -> list[Row]:
    """Addresses, each with its `customer_id`. Raises NotFound for a customer that isn't there."""
    made = (await flow.run(insert_addresses, addresses))["made"]
    await flow.hooks.addressesCreated(made, additional_data)
    return made


@workflow("update-customer-addresses", hooks=("addressesUpdated",))
async def update_customer_addresses(flow: Flow, selector: Selector, update: Row, additional_data: Row | None = None) -> list[Row]:
    ids = await selected(flow, "customer_address", selector)
    await flow.run(change_addresses, ids, update)
    changed = await flow.modules.customer.list("customer_address", {"id": ids})
    await flow.hooks.addressesUpdated(changed, additional_data)
    return changed


@workflow("delete-customer-addresses", hooks=("addressesDeleted",))
async def delete_customer_addresses(flow: Flow, ids: list[str]) -> list[str]:
    """The ids that were there."""
    gone = [row["id"] for row in (await flow.run(delete_rows, "customer_address", ids))["rows"]]
    await flow.hooks.addressesDeleted(gone)
    return gone
