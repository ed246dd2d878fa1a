"""What buyers say of products."""

from velella.core.graph.links import Reference
from velella.core.service.module import Module

from .service import ReviewService

MODULE = Module(
    name="review",
    schema=ReviewService.schema,
    service=ReviewService,
    package=__name__,
    references=(
        # review.product_id is a product's id: `review.product`, and from the other side `product.reviews`
        Reference("review", "product", "product_id", "product", back="reviews"),
        Reference("review_request", "order", "order_id", "order"),
    ),
)
