"""Admin: reviews, and who was asked for one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from velella.http.kit import (
    ABSENT,
    MANY,
    NUMBERS,
    TEXT,
    Answer,
    Body,
    Filters,
    Metadata,
    Request,
    Routes,
    View,
)
from velella.workflows.links import batch_links

from ..workflows import REVIEWS, moderate_review

routes = Routes()

REVIEW = View("review", "id product_id rating title content metadata created_at updated_at *product")
REQUEST = View("review_request", "id order_id product_id email created_at")


class UpdateReview(Body):
    title: str = ABSENT
    content: str | None = None
    metadata: Metadata = None


class ProductData(Body):
    our_verdict: Annotated[str, Field(max_length=100)] = ABSENT


routes.additional_data("POST", "/admin/products", ProductData)  # the hook `productsCreated` gets it

routes.resource("/admin/reviews", REVIEW, REVIEWS, list=Filters(q=TEXT, product_id=MANY, rating=NUMBERS), update=UpdateReview)
routes.resource("/admin/review-requests", REQUEST, list=Filters(order_id=MANY))


class Verdict(Body):
    keep: bool


@routes.post("/admin/reviews/{id}/moderation")
async def moderate(request: Request) -> Answer:
    """Have a review looked at, once more if need be."""
    return {"transaction": await request.start(moderate_review, review_id=request.params["id"])}


@routes.get("/admin/reviews/{id}/moderation", query=None)
async def get_moderation(request: Request) -> Answer:
    return {"moderation": await request.outcome(moderate_review, request.params["id"])}


@routes.post("/admin/reviews/{id}/moderation/verdict", body=Verdict)
async def say(request: Request) -> Answer:
    """What a moderator says of a review. Raises NotAllowed where nobody waits for that, or not any more."""
    verdict = {"keep": request.body["keep"], "by": request.actor_id}
    await request.workflows.set_step_success(moderate_review.name, request.params["id"], "ask-moderator", verdict)
    return {"success": True}


CUSTOMER = View("customer", "id email *wished_products wished_products_link.note")


class Wish(Body):
    product_id: str
    note: Annotated[str, Field(max_length=500)] = ABSENT


@routes.post("/admin/customers/{id}/wishes", body=Wish, returns=CUSTOMER)
async def wish(request: Request) -> Answer:
    """Note what a customer wishes for. Raises NotFound where there is no such customer or product."""
    id = request.params["id"]
    await request.run(batch_links, create={"wish": [{"customer_id": id, **request.body}]})
    return await request.fetch(CUSTOMER, id)


@routes.delete("/admin/customers/{id}/wishes/{product_id}", returns=CUSTOMER)
async def forget_wish(request: Request) -> Answer:
    id = request.params["id"]
    await request.run(batch_links, delete={"wish": [{"customer_id": id, "product_id": request.params["product_id"]}]})
    return await request.fetch(CUSTOMER, id)
