"""Admin: returns."""

from __future__ import annotations

from ...core.json import dumps
from ...workflows.order import returns as flows
from ..kit.bodies import ABSENT, AtLeastOne, Body, Metadata, Part
from ..kit.filters import MANY, STAMPS, Filters
from ..kit.flows import once
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View, words
from .changes import AddShipping, Confirm, RequestItems, ReviseRequested, ReviseShipping, Subject

routes = Routes()

_LISTED = words(
    "id order_id exchange_id claim_id display_id location_id order_version status metadata no_notification refund_amount created_by "
    "created_at updated_at canceled_at requested_at received_at"
)
RETURNS = View("return", _LISTED, limit=15)
RETURN = RETURNS.but(defaults=(*_LISTED, *words("items.* items.reason.*")))
OF_ORDERS = Filters(id=MANY, order_id=MANY, status=MANY, **STAMPS)
PASSED_OVER = Filters(id=MANY, status=MANY, **STAMPS)

routes.resource("/admin/returns", RETURNS, list=OF_ORDERS, get=False)
routes.resource("/admin/returns", RETURN)


class BeginReturn(Body):
    order_id: str
    location_id: str = ABSENT
    description: str = ABSENT
    internal_note: str = ABSENT
    no_notification: bool = ABSENT
    metadata: Metadata = None


class UpdateReturn(Body):
    location_id: str = ABSENT
    no_notification: bool = ABSENT
    metadata: Metadata = None


class BeginReceive(Body):
    internal_note: str = ABSENT
    description: str = ABSENT
    metadata: Metadata = None


class ReceivedItem(Part):
    id: str
    quantity: AtLeastOne
    internal_note: str = ABSENT


class ReceiveItems(Body):
    items: list[ReceivedItem]


subject = Subject(routes, "/admin/returns/{id}", RETURN, PASSED_OVER)


@routes.post("/admin/returns", body=BeginReturn, returns=RETURN, query=PASSED_OVER, envelope="order return")
async def begin(request: Request) -> Answer:
    """Begin a return."""
    given = dict(request.body)
    order_id = given.pop("order_id")
    change = await once(request, flows.begin_return, order_id=order_id, given=given, created_by=request.actor_id)
    return dumps(await subject.begun(request, change, str(change["return_id"])))


subject.verb("POST", "", flows.update_return, "Change a return.", body=UpdateReturn)
subject.verb(
    "POST", "/cancel", flows.cancel_return, "Call a return off.", body=Confirm, who="canceled_by", show=subject.alone, envelope="return"
)

subject.verb("POST", "/request-items", flows.request_item_return, "Ask for things to be sent back.", body=RequestItems)
subject.verb("POST", "/request", flows.confirm_return_request, "Ask the buyer for a return.", body=Confirm, who="confirmed_by")
subject.dropped("/request", flows.cancel_return_request, "Give a return up that wasn't asked for yet.", "return")
subject.verb("POST", "/shipping-method", flows.create_return_shipping_method, "Say how things are sent back.", body=AddShipping)

subject.verb(
    "POST",
    "/receive",
    flows.begin_receive_return,
    "Begin to receive a return.",
    body=BeginReceive,
    who="created_by",
    show=subject.begun,
    envelope="order return",
)
subject.dropped("/receive", flows.cancel_receive_return, "Give up receiving a return.", "return")
subject.verb("POST", "/receive-items", flows.receive_item_return_request, "Receive things.", body=ReceiveItems)
subject.verb("POST", "/dismiss-items", flows.dismiss_item_return_request, "Receive things that can't be sold.", body=ReceiveItems)
subject.verb("POST", "/receive/confirm", flows.confirm_return_receive, "Take what was received.", body=Confirm, who="confirmed_by")

for part, revise, remove in (
    ("request-items", flows.update_request_item_return, flows.remove_item_return_action),
    ("receive-items", flows.update_receive_item_return_request, flows.remove_item_receive_return_action),
    ("dismiss-items", flows.update_receive_item_return_request, flows.remove_item_return_action),
):
    subject.verb("POST", f"/{part}/{{action_id}}", revise, "Change how many.", body=ReviseRequested)
    subject.verb("DELETE", f"/{part}/{{action_id}}", remove, "Take an item out again.")
subject.verb(
    "POST", "/shipping-method/{action_id}", flows.update_return_shipping_method, "Change what sending back costs.", body=ReviseShipping
)
subject.verb("DELETE", "/shipping-method/{action_id}", flows.remove_return_shipping_method, "Take a way of sending back out again.")
