"""What happens around reviews: one is written, a product goes, an order comes."""

from __future__ import annotations

from datetime import timedelta

from velella.core.errors import NotAllowed, NotFound
from velella.core.rows import Row
from velella.core.sql.schema.query import Query
from velella.workflows.kit import Event, Flow, Kept, NotAnswered, Waits, job, keep, on_hook, once, step, subscriber, take_back, workflow
from velella.workflows.plain import Plain

from . import plugin
from .module.service import ReviewService

REVIEWS = Plain("review", update="update-reviews", delete="delete-reviews", event="review")


@step(reads=True)
async def check_product(flow: Flow, product_id: str) -> None:
    """Raises NotFound for a product that isn't on sale."""
    product = await flow.graph.one("product", product_id, ("id", "status"))
    if product["status"] != "published":
        raise NotFound(f"Product with id: {product_id} was not found")


@step(undo=take_back)
async def write_review(flow: Flow, review: Row) -> Kept[list[Row]]:
    return await keep(flow.modules.of(ReviewService).create, "review", [review])


@workflow("create-review", hooks=("reviewCreated",), emits=("review.created",))
async def create_review(flow: Flow, review: Row) -> str:
    """Publish a review (product_id, rating from 1 to 5, title, content, email); its id. Raises NotFound."""
    await flow.run(check_product, review["product_id"])
    [made] = (await flow.run(write_review, review))["answer"]
    await flow.hooks.reviewCreated(made)
    flow.emit("review.created", id=made["id"], product_id=made["product_id"])
    return str(made["id"])


@on_hook("delete-products", "productsDeleted")
@step(reads=True)
async def keep_reviewed_products(flow: Flow, ids: list[str]) -> None:
    """Refuse: what was deleted up to here comes back."""
    reviewed = await flow.modules.of(ReviewService).ratings(ids)
    if reviewed:
        raise NotAllowed(f"Products with reviews can't be deleted: {', '.join(reviewed)}")


@on_hook("create-products", "productsCreated")
@step(undo=take_back)
async def write_verdicts(flow: Flow, products: list[Row], additional_data: Row | None) -> Kept[list[Row]]:
    """A new product may come with what the shop itself says of it."""
    verdict = (additional_data or {}).get("our_verdict")
    reviews = [{"product_id": product["id"], "rating": 5, "title": verdict} for product in products] if verdict else []
    return await keep(flow.modules.of(ReviewService).create, "review", reviews)


@subscriber("order.placed")
async def ask_for_reviews(flow: Flow, event: Event) -> None:
    """Comes at least once for every order, after it was placed. Writes are recorded under the event's id."""
    order = await flow.graph.one("order", event.data["id"], ("email", "items.product_id"))
    products = [item["product_id"] for item in order["items"] if item["product_id"] is not None]
    await flow.modules.of(ReviewService).ask(event.data["id"], order["email"], products)


@subscriber("order.placed")
async def track_order(flow: Flow, event: Event) -> None:
    """Analytics hear of every order, however long they are away; under the event's id it counts once."""
    order = await flow.graph.one("order", event.data["id"], ("customer_id", "currency_code", "total"))
    properties = {"order_id": event.data["id"], "currency": order["currency_code"], "total": order["total"]}
    customer = order["customer_id"]
    await flow.modules.analytics.track("order_placed", actor_id=customer, properties=properties, key=event.id, at=event.created_at)


@step(waits=Waits(timeout=7 * 86_400))
async def ask_moderator(flow: Flow, review_id: str) -> None:
    """Nobody is written to: the moderators look at what waits for them."""


@step(undo=take_back)
async def remove(flow: Flow, review_id: str) -> Kept[list[str]]:
    return await keep(flow.modules.of(ReviewService).delete, "review", [review_id])


@workflow("moderate-review", durable=True, key="review_id")
async def moderate_review(flow: Flow, review_id: str) -> str:
    """Keep a review or remove it, as a moderator says; nobody says anything for a week: keep it."""
    try:
        verdict = await flow.run(ask_moderator, review_id)
    except NotAnswered:
        return "kept"
    if verdict["keep"]:
        return "kept"
    await flow.run(remove, review_id)
    return "removed"


@subscriber("review.created")
async def moderate(flow: Flow, event: Event) -> None:
    """Weeks are too long for a subscriber, which has 50 seconds: it starts a workflow."""
    await flow.start(moderate_review, review_id=event.data["id"])


@step
async def forget(flow: Flow, ids: list[str]) -> None:
    await flow.modules.of(ReviewService).delete("review_request", ids)


@subscriber("product.product.deleted")
async def forget_product(flow: Flow, event: Event) -> None:
    """Whoever deleted it, by whichever workflow or script: the module says so, in the transaction in which its row went."""
    service = flow.modules.of(ReviewService)
    asked = await service.list("review_request", {"product_id": event.data["id"]}, fields=("id",))
    await service.delete("review_request", [row["id"] for row in asked])


@step
async def ask_buyer(flow: Flow, order: Row) -> None:
    products = [item["product_id"] for item in order["items"] if item["product_id"] is not None]
    await flow.modules.of(ReviewService).ask(order["id"], order["email"], products)


@once()
async def ask_for_what_was_bought(flow: Flow) -> None:
    """When the plugin is new in a shop: of the last orders that were placed before it came."""
    latest = Query("order", ("id", "email", "items.product_id"), order=("-created_at",), limit=50)
    for order in await flow.graph.rows(latest):
        await flow.run(ask_buyer, order)


@job("0 4 * * *", time_zone="Europe/Berlin")
async def forget_review_requests(flow: Flow) -> None:
    """Every night: the addresses of those who were asked long ago go."""
    before = (flow.now() - timedelta(days=plugin.options(flow.settings).forget_after_days)).isoformat()
    old = await flow.modules.of(ReviewService).list("review_request", {"created_at": {"$lt": before}}, fields=("id",), limit=1000)
    if old:
        await flow.run(forget, [row["id"] for row in old])
