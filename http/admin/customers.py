"""Admin: customers, their addresses and their groups."""

from __future__ import annotations

from ...core.rows import Row
from ...workflows.customer.addresses import CUSTOMER_ADDRESSES
from ...workflows.customer.customers import CUSTOMERS, remove_customer_account, update_customer_account
from ...workflows.customer.groups import CUSTOMER_GROUPS, link_customer_groups_to_customer, link_customers_to_customer_group
from ..kit import (
    BOOLEAN,
    MANY,
    OPERATORS,
    STAMPS,
    TEXT,
    AdditionalData,
    Body,
    Email,
    Filters,
    LinkBody,
    Metadata,
    Request,
    Routes,
    View,
    Write,
)
from ..kit.filters import keys_or
from ..kit.flows import signed, updates
from ..store.addresses import CustomerAddressBody

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


class CreateCustomerAddress(CustomerAddressBody):
    additional_data: AdditionalData = None


class CreateGroup(Body):
    name: str
    metadata: Metadata = None


# -- customers


async def delete_customer(request: Request, id: str) -> None:
    await request.run(remove_customer_account, customer_id=id)


change, change_account = updates(CUSTOMERS.update), updates(update_customer_account)


async def update_customer(request: Request, row: Row) -> None:
    """A new email changes the login as well."""
    await (change_account if "email" in row else change)(request, row)


routes.resource(
    "/admin/customers",
    CUSTOMER,
    CUSTOMERS,
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
    create=Write(CustomerBody, before=signed),
    update=Write(CustomerBody, update_customer),
    delete=delete_customer,
)


routes.action(
    "/admin/customers/{id}/customer-groups",
    CUSTOMER,
    link_customer_groups_to_customer,
    "Put a customer into groups, and out of others.",
    body=LinkBody,
)

# -- addresses

routes.resource(
    "/admin/customers/{id}/addresses",
    ADDRESS,
    CUSTOMER_ADDRESSES,
    list=Filters(q=TEXT, company=MANY, city=MANY, country_code=MANY, province=MANY, postal_code=MANY),
    create=CreateCustomerAddress,
    update=CreateCustomerAddress,
    param="address_id",
    within={"customer_id": "id"},
    parent=CUSTOMER,
    summaries={
        "create": "Add an address to a customer.",
        "update": "Change an address of a customer.",
        "delete": "Delete an address of a customer.",
    },
)

# -- groups


routes.resource(
    "/admin/customer-groups",
    GROUP,
    CUSTOMER_GROUPS,
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
    create=Write(CreateGroup, before=signed),
    update=CreateGroup.partial(),
)


routes.action(
    "/admin/customer-groups/{id}/customers",
    GROUP,
    link_customers_to_customer_group,
    "Put customers into a group, and others out of it.",
    body=LinkBody,
)
