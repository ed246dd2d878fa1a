"""Store: customers' accounts and addresses."""

from __future__ import annotations

from ...core.errors import InvalidData
from ...workflows.customer.addresses import CUSTOMER_ADDRESSES
from ...workflows.customer.customers import CUSTOMERS, create_customer_account
from ..kit.access import CUSTOMER_REGISTERING
from ..kit.bodies import Body, Email, Metadata
from ..kit.filters import MANY, TEXT, Filters
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View, words
from .addresses import CustomerAddressBody
from .views import under

routes = Routes()

ADDRESS_COLUMNS = words(
    "id address_name company customer_id first_name last_name address_1 address_2 city province postal_code country_code phone metadata"
    " is_default_shipping is_default_billing created_at updated_at"
)
COLUMNS = words("id email company_name first_name last_name phone metadata has_account deleted_at created_at updated_at")

ORDER_COLUMNS = (
    "id display_id custom_display_id region_id customer_id version sales_channel_id status email currency_code locale shipping_address_id"
    " billing_address_id no_notification canceled_at summary total metadata created_at updated_at deleted_at"
)
CUSTOMER = View(
    "customer",
    (*COLUMNS, "*addresses"),
    allowed=(*COLUMNS, "addresses", "orders", *under("addresses", " ".join(ADDRESS_COLUMNS))),
    stars={"orders": under("orders", ORDER_COLUMNS)},  # not the change that merchants work on, with their notes
    visible=lambda request: {"order": {"is_draft_order": False}},
)
ADDRESS = View("customer_address", ADDRESS_COLUMNS, allowed=ADDRESS_COLUMNS, key="address", plural="addresses")


class UpdateCustomer(Body):
    company_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    metadata: Metadata = None


class CreateCustomer(UpdateCustomer):
    email: Email | None = None


def me(request: Request) -> str:
    """Id of the calling customer."""
    assert request.customer_id is not None  # the routes below are for customers only
    return request.customer_id


@routes.post("/store/customers", body=CreateCustomer, returns=CUSTOMER, auth=CUSTOMER_REGISTERING)
async def register(request: Request) -> Answer:
    """Make the registered identity a customer."""
    if request.customer_id is not None:
        raise InvalidData("Request already authenticated as a customer.")
    assert request.actor is not None
    proven = {"auth_identity_id": request.actor.identity, "secret_version": request.actor.claims["secret_version"]}
    customer = await request.run(create_customer_account, customer=request.body, **proven)
    return await request.fetch(CUSTOMER, customer["id"])


@routes.get("/store/customers/me", returns=CUSTOMER)
async def get_me(request: Request) -> Answer:
    """Get the calling customer."""
    return await request.fetch(CUSTOMER, me(request))


@routes.post("/store/customers/me", body=UpdateCustomer, returns=CUSTOMER)
async def update_me(request: Request) -> Answer:
    """Update the calling customer."""
    await request.run(CUSTOMERS.update, rows=[{**request.body, "id": me(request)}])
    return await request.fetch(CUSTOMER, me(request))


# -- addresses

routes.resource(
    "/store/customers/me/addresses",
    ADDRESS,
    CUSTOMER_ADDRESSES,
    list=Filters(q=TEXT, city=MANY, country_code=MANY, postal_code=MANY),
    create=CustomerAddressBody,
    update=CustomerAddressBody,
    object="address",
    param="address_id",
    within={"customer_id": me},
    parent=CUSTOMER,
    summaries={
        "list": "List the customer's addresses.",
        "get": "Get an address of the customer.",
        "create": "Add an address to the customer's own.",
        "update": "Change an address of the customer.",
        "delete": "Delete an address of the customer.",
    },
)
