"""Customer groups and their members."""

from __future__ import annotations

from ..kit import Flow, workflow
from ..plain import Plain
from ..rows import written

CUSTOMER_GROUPS = Plain("customer_group", "create-customer-groups", "update-customer-groups", "delete-customer-groups")


move_customers = written("move-customers", lambda modules: modules.customer.change_groups)
"""Put customers into groups and take others out: pairs of `customer_id` and `customer_group_id`."""


@workflow("link-customers-to-customer-group")
async def link_customers_to_customer_group(flow: Flow, id: str, add: list[str] | None = None, remove: list[str] | None = None) -> str:
    """Change the members of a group. Raises NotFound for the group, and for a customer to be added."""
    await flow.modules.customer.retrieve("customer_group", id, fields=("id",))
    added, removed = ([{"customer_id": customer, "customer_group_id": id} for customer in ids or []] for ids in (add, remove))
    await flow.run(move_customers, added, removed)
    return id


@workflow("link-customer-groups-to-customer")
async def link_customer_groups_to_customer(flow: Flow, id: str, add: list[str] | None = None, remove: list[str] | None = None) -> str:
    """Change the groups of a customer. Raises NotFound for the customer, and for a group to be added."""
    await flow.modules.customer.retrieve("customer", id, fields=("id",))
    added, removed = ([{"customer_id": id, "customer_group_id": group} for group in ids or []] for ids in (add, remove))
    await flow.run(move_customers, added, removed)
    return id
