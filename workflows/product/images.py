"""Assigning images to variants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from ..kit import Flow, Kept, keep, step, take_back, unchanged, workflow
from ..rows import update_rows

Pairs = list[list[str]]
"""(variant, image)."""


class ChangedImages(TypedDict):
    added: list[str]
    removed: list[str]


@step(undo=take_back)
async def assign_images(flow: Flow, pairs: Sequence[tuple[str, str]]) -> Kept[Pairs]:
    return await keep(flow.modules.product.assign_images, pairs) if pairs else unchanged([])


@step(undo=take_back)
async def unassign_images(flow: Flow, pairs: Sequence[tuple[str, str]]) -> Kept[Pairs]:
    return await keep(flow.modules.product.unassign_images, pairs) if pairs else unchanged([])


async def _drop_thumbnails(flow: Flow, removed: Pairs) -> None:
    """A variant whose thumbnail was one of its images loses it with the image."""
    if not removed:
        return
    variants = await flow.modules.product.list("product_variant", {"id": [pair[0] for pair in removed]}, fields=("id", "thumbnail"))
    images = await flow.modules.product.list("product_image", {"id": [pair[1] for pair in removed]}, fields=("id", "url"))
    urls = {image["id"]: image["url"] for image in images}
    shown = {variant["id"]: variant["thumbnail"] for variant in variants}
    bare = sorted({variant for variant, image in removed if shown.get(variant) and shown[variant] == urls.get(image)})
    if bare:
        await flow.run(update_rows, "product_variant", [{"id": id, "thumbnail": None} for id in bare])


@workflow("batch-variant-images")
async def batch_variant_images(flow: Flow, variant_id: str, add: list[str] | None = None, remove: list[str] | None = None) -> ChangedImages:
    """Assign images to a variant, unassign others. Returns the given images. Raises NotFound for the variant."""
    if remove:
        flow.durably()
    await flow.modules.product.retrieve("product_variant", variant_id, fields=("id",))
    await flow.run(assign_images, [(variant_id, image) for image in add or []])
    removed = (await flow.run(unassign_images, [(variant_id, image) for image in remove or []]))["answer"]
    await _drop_thumbnails(flow, removed)
    return {"added": add or [], "removed": remove or []}


@workflow("batch-image-variants")
async def batch_image_variants(flow: Flow, image_id: str, add: list[str] | None = None, remove: list[str] | None = None) -> ChangedImages:
    """Assign an image to variants, unassign it from others. Returns the given variants. Raises NotFound for the image."""
    if remove:
        flow.durably()
    await flow.modules.product.retrieve("product_image", image_id, fields=("id",))
    await flow.run(assign_images, [(variant, image_id) for variant in add or []])
    removed = (await flow.run(unassign_images, [(variant, image_id) for variant in remove or []]))["answer"]
    await _drop_thumbnails(flow, removed)
    return {"added": add or [], "removed": remove or []}
