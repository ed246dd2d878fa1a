"""Store: reviews."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from velella.core.errors import NotAllowed
from velella.http.kit import (
    ABSENT,
    MANY,
    NUMBERS,
    TEXT,
    Answer,
    Body,
    Cached,
    Email,
    Filters,
    Next,
    Request,
    Routes,
    View,
    Whole,
    choice,
    meaning,
)
from velella.http.store.views import PRODUCT

from ..module.service import ReviewService
from ..workflows import create_review

routes = Routes()

COLUMNS = "id product_id rating title content created_at"
REVIEW = View("review", COLUMNS, allowed=COLUMNS, order="-created_at", limit=20)

PRODUCT.allow(["reviews", *(f"reviews.{name}" for name in COLUMNS.split())])  # `fields=+reviews.rating` on products

# GET /store/reviews and /store/reviews/{id}, remembered until a review changes
routes.resource("/store/reviews", REVIEW, list=Filters(q=TEXT, product_id=MANY, rating=NUMBERS))


class WriteReview(Body):
    rating: Annotated[Whole, Field(ge=1, le=5)]
    title: str
    content: str = ABSENT
    email: Email = ABSENT


@routes.post("/store/products/{id}/reviews", body=WriteReview, returns=REVIEW)
async def add_review(request: Request) -> Answer:
    """Review a product."""
    id = await request.run(create_review, review={**request.body, "product_id": request.params["id"]})
    return await request.fetch(REVIEW, id)


routes.additional_query("GET", "/store/products", rating=meaning(NUMBERS, "reviews.rating"))  # ?rating[$gte]=4
routes.additional_query("POST", "/store/carts", robots=choice("welcome"))


@routes.middleware("/store/carts*", methods=("POST",))
async def no_robots(request: Request, go_on: Next) -> Answer:
    if "bot" in (request.header("user-agent") or "") and request.additional_query.get("robots") != "welcome":
        raise NotAllowed("Robots don't buy here.")
    return await go_on(request)


@routes.get("/store/products/{id}/rating", cached=Cached("review"))
async def get_rating(request: Request) -> Answer:
    """What the reviews of a product come to."""
    ratings = await request.modules.of(ReviewService).ratings([request.params["id"]])
    return {"rating": ratings.get(request.params["id"], {"count": 0, "average": None})}
