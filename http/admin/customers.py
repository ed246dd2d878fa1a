"""Admin: customers, their addresses, and the groups they are in."""

from __future__ import annotations

from typing import Any

from ...workflows.customer.addresses import create_customer_addresses, delete_customer_addresses, update_customer_addresses
from ...workflows.customer.customers import create_customers, remove_customer_account, update_customer_account, update_customers
from ...workflows.customer.groups import (
    create_customer_groups,
    delete_customer_groups,
    link_customer_groups_to_customer,
    link_customers_to_customer_group,
    update_customer_groups,
)
from ..frontend.addresses import CustomerAddressBody
from ..frontend.bodies import ABSENT, AdditionalData, Body, Email, LinkBody, Metadata
from ..frontend.filters import BOOLEAN, MANY, OPERATORS, STAMPS, TEXT, Filters, keys_or
from ..frontend.flows import signed, split, updates
from ..frontend.nested import belonging, belongs, deleted_from
from ..frontend.request import Answer, Request
from ..frontend.resource import require
from ..frontend.routes import Routes, Write
from ..frontend.view import View

routes = Routes()

CUSTOMER = View(
    "customer", "id company_name first_name last_name email phone metadata has_account created_by created_at updated_at deleted_at"
)
ADDRESS = View(
    "customer_address",
    "id address_name company customer_id first_name last_name address_1 address_2 city province postal_code country_code phone metadata"
    " created_at updated_at",
    key="address",
    plural="addresses",
)
GROUP = View("customer_group", "id name created_by created_at updated_at deleted_at metadata")


class CustomerBody(Body):
    email: Email | None = None
    company_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    metadata: Metadata = None
    additional_data: AdditionalData = None


class Address(CustomerAddressBody):
    additional_data: AdditionalData = None


class UpdateGroup(Body):
    name: str = ABSENT
    metadata: Metadata = None


class CreateGroup(UpdateGroup):
    name: str


# -- customers


async def delete_customer(request: Request, id: str) -> None:
    await request.run(remove_customer_account, customer_id=id)


change, change_account = updates(update_customers), updates(update_customer_account)


async def update_customer(request: Request, row: dict[str, Any]) -> None:
    """A new email is a new name to sign in by."""
    await (change_account if "email" in row else change)(request, row)


routes.resource(
    "/admin/customers",
    CUSTOMER,
    list=Filters(
        q=TEXT,
        id=OPERATORS,
        email=MANY,
        groups=keys_or(Filters(id=MANY, name=MANY, **STAMPS)),
        company_name=MANY,
        first_name=MANY,
        last_name=MANY,
        has_account=BOOLEAN,
        created_by=MANY,
        logical=True,
        **STAMPS,
    ),
    create=Write(CustomerBody, before=signed, run=create_customers),
    update=Write(CustomerBody, update_customer),
    delete=delete_customer,
)


@routes.post("/admin/customers/{id}/customer-groups", body=LinkBody, returns=CUSTOMER)
async def set_groups_of_customer(request: Request) -> Answer:
    """Put a customer into groups, and out of others."""
    id = request.params["id"]
    await request.run(link_customer_groups_to_customer, id=id, **request.body)
    return await request.fetch(CUSTOMER, id)


# -- addresses

ADDRESSES = "/admin/customers/{id}/addresses"

routes.resource(
    ADDRESSES,
    ADDRESS,
    list=Filters(q=TEXT, company=MANY, city=MANY, country_code=MANY, province=MANY, postal_code=MANY),
    delete=False,
    param="address_id",
    within={"customer_id": "id"},
)


@routes.post(ADDRESSES, body=Address, returns=CUSTOMER)
async def add_address(request: Request) -> Answer:
    """Add an address to a customer."""
    id = request.params["id"]
    await require(request, "customer", [id])
    address, additional = split(request.body)
    await request.run(create_customer_addresses, addresses=[{**address, "customer_id": id}], **additional)
    return await request.fetch(CUSTOMER, id)


@routes.post(f"{ADDRESSES}/{{address_id}}", body=Address, returns=CUSTOMER)
async def update_address(request: Request) -> Answer:
    """Change an address of a customer."""
    id, address_id = request.params["id"], request.params["address_id"]
    await belonging(request, "customer_address", address_id, customer_id=id)
    address, additional = split(request.body)
    await request.run(update_customer_addresses, selector={"id": address_id}, update=address, **additional)
    return await request.fetch(CUSTOMER, id)


@routes.delete(f"{ADDRESSES}/{{address_id}}", returns=CUSTOMER)
async def delete_address(request: Request) -> Answer:
    """Delete an address of a customer."""
    id, address_id = request.params["id"], request.params["address_id"]
    if await belongs(request, "customer_address", address_id, customer_id=id):
        await request.run(delete_customer_addresses, ids=[address_id])
    return await deleted_from(request, CUSTOMER, id, address_id, "customer_address")


# -- groups


routes.resource(
    "/admin/customer-groups",
    GROUP,
    list=Filters(
        q=TEXT,
        id=MANY,
        name=MANY,
        customers=keys_or(
            Filters(
                id=MANY,
                email=OPERATORS,
                default_billing_address_id=MANY,
                default_shipping_address_id=MANY,
                company_name=MANY,
                first_name=MANY,
                last_name=MANY,
                created_by=MANY,
                **STAMPS,
            )
        ),
        created_by=MANY,
        logical=True,
        **STAMPS,
    ),
    create=Write(CreateGroup, before=signed, run=create_customer_groups),
    update=Write(UpdateGroup, update_customer_groups),
    delete=delete_customer_groups,
)


@routes.post("/admin/customer-groups/{id}/customers", body=LinkBody, returns=GROUP)
async def set_customers_of_group(request: Request) -> Answer:
    """Put customers into a group, and others out of it."""
    id = request.params["id"]
    await request.run(link_customers_to_customer_group, id=id, **request.body)
    return await request.fetch(GROUP, id)
