"""Groups of customers, and who is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.flow import Flow, Kept, keep, step, take_back, workflow
from ..rows import Selector, create_rows, delete_rows, update_selected

Row = dict[str, Any]


@workflow("create-customer-groups")
async def create_customer_groups(flow: Flow, customer_groups: list[Row]) -> list[Row]:
    """Raises InvalidData for a name that is taken."""
    return (await flow.run(create_rows, "customer_group", customer_groups))["answer"]


@workflow("update-customer-groups")
async def update_customer_groups(flow: Flow, selector: Selector, update: Row) -> list[Row]:
    return await update_selected(flow, "customer_group", selector, update)


@workflow("delete-customer-groups")
async def delete_customer_groups(flow: Flow, ids: list[str]) -> list[str]:
    return (await flow.run(delete_rows, "customer_group", ids))["answer"]


@step(undo=take_back)
async def move_customers(flow: Flow, add: Sequence[Row], remove: Sequence[Row]) -> Kept[None]:
    """Put customers into groups and take others out: pairs of `customer_id` and `customer_group_id`."""
    return await keep(flow.modules.customer.change_groups, add, remove)


@workflow("link-customers-to-customer-group")
async def link_customers_to_customer_group(flow: Flow, id: str, add: list[str] | None = None, remove: list[str] | None = None) -> str:
    """Who is in a group. Raises NotFound for the group, and for a customer to be added."""
    await flow.modules.customer.retrieve("customer_group", id, fields=("id",))
    added, removed = ([{"customer_id": customer, "customer_group_id": id} for customer in ids or []] for ids in (add, remove))
    await flow.run(move_customers, added, removed)
    return id


@workflow("link-customer-groups-to-customer")
async def link_customer_groups_to_customer(flow: Flow, id: str, add: list[str] | None = None, remove: list[str] | None = None) -> str:
    """Which groups a customer is in. Raises NotFound for the customer, and for a group to be added."""
    await flow.modules.customer.retrieve("customer", id, fields=("id",))
    added, removed = ([{"customer_id": id, "customer_group_id": group} for group in ids or []] for ids in (add, remove))
    await flow.run(move_customers, added, removed)
    return id
