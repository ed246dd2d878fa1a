"""Customers and their accounts."""

from __future__ import annotations

from ...core.errors import Duplicate, InvalidData
from ...core.rows import Row
from ...modules.customer.service import CustomerService
from ..auth.actors import actor_id, change_login, link_actor, unlink_actor
from ..kit import Flow, workflow
from ..plain import Plain
from ..rows import update_rows

CUSTOMERS = Plain(
    "customer",
    "create-customers",
    "update-customers",
    "delete-customers",
    hooks="customers",
    event="customer",
    create_by=CustomerService.create_customers,
)
"""New customers may come with their `addresses`. Raises InvalidData where an email belongs to a customer of the same kind (guest,
registered)."""


@workflow("update-customer-account", durable=True)
async def update_customer_account(flow: Flow, rows: list[Row], additional_data: Row | None = None) -> list[Row]:
    """`update-customers` for one customer, whose email may change: the login by email changes with it.

    Raises NotFound; InvalidData where the new email is taken.
    """
    (row,) = rows
    async with flow.lock(f"customer:{row['id']}"):
        if row.get("email") is not None:
            customer = await flow.modules.customer.retrieve("customer", row["id"], fields=("email",))
            await flow.run(change_login, "customer", row["id"], customer["email"], row["email"])
        return await flow.run(CUSTOMERS.update, rows, additional_data)


@workflow("create-customer-account", durable=True)
async def create_customer_account(flow: Flow, auth_identity_id: str, customer: Row, secret_version: int | None = None) -> Row:
    """Create a registered customer who logs in by an identity. A repetition finishes an interrupted attempt.

    Raises InvalidData without an email; Duplicate where the email belongs to a registered customer, and where the identity has an
    actor already; Unauthorized where the identity's secret has changed.
    """
    if not customer.get("email"):
        raise InvalidData("A customer account needs an email")
    async with flow.lock(f"auth_identity:{auth_identity_id}"):  # a repetition finishes attempts that are over, not one under way
        return await _registered(flow, auth_identity_id, customer, secret_version)


async def _registered(flow: Flow, auth_identity_id: str, customer: Row, secret_version: int | None) -> Row:
    id, email = actor_id(auth_identity_id, "cus"), customer["email"]
    wanted = {"$or": [{"email": email, "has_account": True}, {"id": id}]}
    there = await flow.modules.customer.list("customer", wanted, fields=("id", "deleted_at"), with_deleted=True)
    living = [row["id"] for row in there if row["deleted_at"] is None]
    if living == [id] and not await flow.modules.auth.identities_of("customer", id):
        (made,) = (await flow.run(update_rows, "customer", [{**_columns(customer), "id": id}]))["answer"]
        flow.emit("customer.created", id=id)
    elif living:
        raise Duplicate(f"A customer with the email {email} already has an account")
    else:
        new = {} if there else {"id": id}
        (made,) = await flow.run(CUSTOMERS.create, [{**customer, **new, "has_account": True}])
    await flow.run(link_actor, auth_identity_id, "customer", made["id"], secret_version)
    return made


def _columns(customer: Row) -> Row:
    return {name: value for name, value in customer.items() if name != "addresses"}


@workflow("remove-customer-account", durable=True)
async def remove_customer_account(flow: Flow, customer_id: str) -> str:
    """Delete a customer, if it exists, and the identities without another actor. Returns the id."""
    await flow.run(CUSTOMERS.delete, [customer_id])
    await flow.run(unlink_actor, "customer", customer_id)
    return customer_id
