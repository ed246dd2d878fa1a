"""Admin: reviews, and who was asked for one."""

from __future__ import annotations

from velella.http.kit import (
    ABSENT,
    MANY,
    NUMBERS,
    TEXT,
    Body,
    Filters,
    Metadata,
    Routes,
    View,
)

from ..workflows import REVIEWS

routes = Routes()

REVIEW = View("review", "id product_id rating title content metadata created_at updated_at *product")
REQUEST = View("review_request", "id order_id product_id email created_at")


class UpdateReview(Body):
    title: str = ABSENT
    content: str | None = None
    metadata: Metadata = None


routes.resource("/admin/reviews", REVIEW, REVIEWS, list=Filters(q=TEXT, product_id=MANY, rating=NUMBERS), update=UpdateReview)
routes.resource("/admin/review-requests", REQUEST, list=Filters(order_id=MANY))
