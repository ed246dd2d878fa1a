"""What is heard of changes: the events of modules after which something is indexed again."""

from __future__ import annotations

from typing import Final

from ...core.rows import Row
from ...core.settings import Settings
from ..kit import Flow

ID: Final = object()


def searched(settings: Settings) -> bool:
    """Whether a shop has indexes."""
    return settings.search


PRODUCTS = ("product.product.created", "product.product.updated", "product.product.deleted", "product.product.restored")
VARIANTS = (
    "product.product-variant.created", "product.product-variant.updated", "product.product-variant.deleted",
    "product.product-variant.restored",
)  # fmt: skip
PAIRS = (
    "product.product-tags.attached", "product.product-tags.detached", "product.product-category-product.attached",
    "product.product-category-product.detached", "link.product-sales-channel.attached", "link.product-sales-channel.detached",
)  # fmt: skip
OF_VARIANTS = (
    "product.product-variant-option.attached", "product.product-variant-option.detached", "link.product-variant-price-set.attached",
    "link.product-variant-price-set.detached",
)  # fmt: skip
PRICES = ("pricing.price.created", "pricing.price.updated", "pricing.price.deleted", "pricing.price.restored")
PARTS = ("product-tag", "product-type", "product-collection", "product-category", "product-option", "product-option-value")
CHANGED = tuple(f"product.{part}.{action}" for part in PARTS for action in ("updated", "deleted"))
RESTORED: Final[dict[str, Row]] = {
    "product.product-tag.restored": {"tags": {"id": ID}},
    "product.product-type.restored": {"type_id": ID},
    "product.product-collection.restored": {"collection_id": ID},
    "product.product-category.restored": {"categories": {"id": ID}},
    "product.product-option.restored": {"variants": {"options": {"option_id": ID}}},
    "product.product-option-value.restored": {"variants": {"options": {"id": ID}}},
    "pricing.price-set.restored": {"variants": {"price_set": {"id": ID}}},
    "sales_channel.sales-channel.restored": {"sales_channels": {"id": ID}},
}
"""What a document doesn't name that was made while it was gone: which products have it by now is asked for."""

HEARD = frozenset((*PRODUCTS, *VARIANTS, *PAIRS, *OF_VARIANTS, *PRICES, *CHANGED, *RESTORED))


async def heard(flow: Flow) -> bool:
    """Whether changes are heard of by now: what is read before that may change unheard."""
    modules = (flow.modules.product, flow.modules.pricing, flow.modules.link, flow.modules.sales_channel)
    return {event for module in modules for event in await module.announced_events()} >= HEARD
