"""Admin: claims and exchanges. They have the same verbs; a claim says besides what was wrong."""

from __future__ import annotations

from typing import Any, Literal

from ...core.json import dumps
from ...core.rows import Row
from ...workflows.order import swaps as flows
from ...workflows.order.returns import (
    remove_item_return_action,
    remove_return_shipping_method,
    update_request_item_return,
    update_return_shipping_method,
)
from ..kit.bodies import ABSENT, Body, Metadata, Number, Part
from ..kit.flows import once
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View, words
from .changes import AddShipping, Confirm, RequestItems, ReviseRequested, ReviseShipping, Subject
from .previews import show_preview
from .returns import OF_ORDERS, PASSED_OVER, RETURN

routes = Routes()

_CLAIM = words("id type order_id return_id display_id order_version refund_amount created_by created_at updated_at canceled_at")
CLAIMS = View("order_claim", _CLAIM, limit=15, key="claim")
CLAIM = CLAIMS.but(defaults=(*_CLAIM, *words("additional_items.* claim_items.* claim_items.reason.*")))
_EXCHANGE = words("id order_id return_id display_id order_version created_by created_at updated_at canceled_at")
EXCHANGES = View("order_exchange", _EXCHANGE, limit=15, key="exchange")
EXCHANGE = EXCHANGES.but(defaults=(*_EXCHANGE, *words("additional_items.*")))

routes.resource("/admin/claims", CLAIMS, list=OF_ORDERS, get=False)
routes.resource("/admin/exchanges", EXCHANGES, list=OF_ORDERS, get=False)


class BeginExchange(Body):
    order_id: str
    description: str = ABSENT
    internal_note: str = ABSENT
    metadata: Metadata = None


class BeginClaim(Body):
    type: Literal["refund", "replace"]
    order_id: str
    description: str = ABSENT
    internal_note: str = ABSENT
    reason_id: str | None = None
    metadata: Metadata = None


class InboundItems(RequestItems):
    location_id: str = ABSENT


class ClaimedItem(Part):
    id: str
    quantity: Number
    reason: Literal["missing_item", "wrong_item", "production_failure", "other"] = ABSENT
    description: str = ABSENT
    internal_note: str = ABSENT
    metadata: Metadata = None


class ClaimItems(Body):
    items: list[ClaimedItem]


class ClaimOutbound(Part):
    variant_id: str
    quantity: Number
    unit_price: Number = ABSENT
    internal_note: str = ABSENT
    metadata: dict[str, Any] = ABSENT


class ExchangeOutbound(ClaimOutbound):
    allow_backorder: bool = ABSENT


class ClaimOutboundItems(Body):
    items: list[ClaimOutbound]


class ExchangeOutboundItems(Body):
    items: list[ExchangeOutbound]


class ReviseExchangeItem(Body):
    quantity: Number = ABSENT
    internal_note: str | None = None


claim = Subject(routes, "/admin/claims/{id}", CLAIM, PASSED_OVER)
exchange = Subject(routes, "/admin/exchanges/{id}", EXCHANGE, PASSED_OVER)


async def _return(request: Request, subject: Subject, id: str) -> Row | None:
    """The return of a claim or an exchange; None where nothing is to come back."""
    rows = (await request.rows(subject.view, {"id": id}, fields=("return_id",), limit=1)).rows
    back = rows[0]["return_id"] if rows else None
    if back is None:
        return None
    return (await request.rows(RETURN, {"id": back}, fields=RETURN.defaults, limit=1)).rows[0]


def _with_return(subject: Subject) -> Any:
    async def show(request: Request, order_id: str, id: str) -> Row:
        return {"order_preview": await show_preview(request, order_id), "return": await _return(request, subject, id)}

    return show


def _all(subject: Subject) -> Any:
    async def show(request: Request, order_id: str, id: str) -> Row:
        back = await _return(request, subject, id)
        return {**await subject.previewed(request, order_id, id), **({"return": back} if back is not None else {})}

    return show


@routes.post("/admin/claims", body=BeginClaim, returns=CLAIM, query=PASSED_OVER, envelope="order claim")
async def begin_claim(request: Request) -> Answer:
    """Begin a claim."""
    return await _begin(request, claim, flows.begin_claim, "claim_id")


@routes.post("/admin/exchanges", body=BeginExchange, returns=EXCHANGE, query=PASSED_OVER, envelope="order exchange")
async def begin_exchange(request: Request) -> Answer:
    """Begin an exchange."""
    return await _begin(request, exchange, flows.begin_exchange, "exchange_id")


async def _begin(request: Request, subject: Subject, flow: Any, named: str) -> Answer:
    given = dict(request.body)
    order_id = given.pop("order_id")
    change = await once(request, flow, order_id=order_id, given=given, created_by=request.actor_id)
    return dumps(await subject.begun(request, change, change[named]))


routes.resource("/admin/exchanges", EXCHANGE)


@routes.get("/admin/claims/{id}", returns=CLAIM, query=PASSED_OVER)
async def get_claim(request: Request) -> Answer:
    """Get a claim."""
    return await request.fetch(CLAIM, request.params["id"])


claim.verb("POST", "/claim-items", flows.claim_item, "Say what was wrong.", body=ClaimItems)
claim.verb("POST", "/claim-items/{action_id}", flows.update_claim_item, "Change what was wrong.", body=ReviseRequested)
claim.verb("DELETE", "/claim-items/{action_id}", flows.remove_item_claim_action, "Take it out again.", bare=True)
claim.dropped("/request", flows.cancel_claim_request, "Give a claim up that wasn't asked for yet.", "claim")
exchange.dropped("/request", flows.cancel_exchange_request, "Give an exchange up that wasn't asked for yet.", "exchange")

for subject, back, add, revise_item, remove_item, outbound, revised, ship, revise_ship, remove_ship, confirm, cancel, remove_inbound in (
    (
        claim,
        flows.claim_request_item_return,
        flows.claim_add_new_item,
        flows.update_claim_add_item,
        flows.remove_item_claim_add_action,
        ClaimOutboundItems,
        ReviseRequested,
        flows.create_claim_shipping_method,
        flows.update_claim_shipping_method,
        flows.remove_claim_shipping_method,
        flows.confirm_claim,
        flows.cancel_claim,
        flows.remove_claim_shipping_method,
    ),
    (
        exchange,
        flows.exchange_request_item_return,
        flows.exchange_add_new_item,
        flows.update_exchange_add_item,
        flows.remove_item_exchange_action,
        ExchangeOutboundItems,
        ReviseExchangeItem,
        flows.create_exchange_shipping_method,
        flows.update_exchange_shipping_method,
        flows.remove_exchange_shipping_method,
        flows.confirm_exchange,
        flows.cancel_exchange,
        remove_return_shipping_method,
    ),
):
    key, with_return, of_return = subject.view.key, _with_return(subject), "order_preview return"
    subject.verb("POST", "/inbound/items", back, "Say what comes back.", body=InboundItems, show=with_return, envelope=of_return)
    subject.verb(
        "POST",
        "/inbound/items/{action_id}",
        update_request_item_return,
        "Change what comes back.",
        body=ReviseRequested,
        show=with_return,
        envelope=of_return,
    )
    subject.verb(
        "DELETE",
        "/inbound/items/{action_id}",
        remove_item_return_action,
        "Take out what comes back.",
        show=with_return,
        envelope=of_return,
        bare=True,
    )
    subject.verb(
        "POST",
        "/inbound/shipping-method",
        ship,
        "Say how it comes back.",
        body=AddShipping,
        show=with_return,
        envelope=of_return,
        also={"inbound": True},
    )
    subject.verb(
        "POST", "/inbound/shipping-method/{action_id}", update_return_shipping_method, "Change what that costs.", body=ReviseShipping
    )
    subject.verb(
        "DELETE",
        "/inbound/shipping-method/{action_id}",
        remove_inbound,
        "Take out how it comes back.",
        show=with_return,
        envelope=of_return,
        bare=True,
    )
    subject.verb("POST", "/outbound/items", add, "Say what is sent instead.", body=outbound)
    subject.verb("POST", "/outbound/items/{action_id}", revise_item, "Change what is sent instead.", body=revised)
    subject.verb("DELETE", "/outbound/items/{action_id}", remove_item, "Take out what is sent instead.", bare=True)
    subject.verb("POST", "/outbound/shipping-method", ship, "Say how it is sent.", body=AddShipping)
    subject.verb("POST", "/outbound/shipping-method/{action_id}", revise_ship, "Change what that costs.", body=ReviseShipping)
    subject.verb("DELETE", "/outbound/shipping-method/{action_id}", remove_ship, "Take out how it is sent.", bare=True)
    subject.verb(
        "POST", "/request", confirm, "Ask the buyer for it.", who="confirmed_by", show=_all(subject), envelope=f"order_preview {key} return"
    )
    subject.verb("POST", "/cancel", cancel, "Call it off.", body=Confirm, who="canceled_by", show=subject.alone, envelope=key)
