"""Images of products, and which of them variants show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from sqlalchemy import Table

from ...core.ids import new_id
from ...core.message import writes
from ...core.rows import Given, Row
from ...core.service.module import ModuleService
from ...core.sql.write.undo import Pair, TakingBack
from . import queries
from .drafts import image_rows
from .matching import Pairs, assignments, missing_images
from .tables import product_variant_product_image

ListedImages = dict[str, dict[str, Sequence[str]]]
"""Product → variant → the URLs that it shows."""


class ProductImages(ModuleService):
    """The part of the product service for images."""

    @writes
    async def assign_images(self, pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
        """Assign images to variants, as (variant, image) pairs. Returns the new pairs; another product's images are skipped."""
        made = await self.database.fetch(
            queries.ASSIGN_IMAGES,
            {"ids": [new_id("pvpi") for _ in pairs], "variants": [pair[0] for pair in pairs], "images": [pair[1] for pair in pairs]},
        )
        self.keep(product_variant_product_image, [(None, {"id": row["id"]}) for row in made])
        self.touch("product_variant_product_image", "product_variant", "product_image")
        return [[row["variant_id"], row["image_id"]] for row in made]

    @writes
    async def unassign_images(self, pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
        """Undo the assignment. Returns the pairs that existed."""
        gone = await self.database.fetch(
            queries.UNASSIGN_IMAGES, {"variants": [pair[0] for pair in pairs], "images": [pair[1] for pair in pairs]}
        )
        self.keep(product_variant_product_image, [(row["was"], None) for row in gone])
        self.touch("product_variant_product_image", "product_variant", "product_image")
        return [[row["variant_id"], row["image_id"]] for row in gone]

    # -- inside

    async def _undo(self, table: Table, pairs: Sequence[Pair]) -> None:
        """Assignments are deleted for good: an image with any row is shown by those variants alone."""
        if table is product_variant_product_image:
            await TakingBack(self.database, table).created([left for was, left in pairs if was is None and left is not None])
            pairs = [pair for pair in pairs if pair[0] is not None]
        await super()._undo(table, pairs)

    async def _replace_images(self, rows: Sequence[Given], listed: ListedImages) -> set[str]:
        """Returns the ids of new images."""
        touched = {
            row["id"]: [*row["images"], *missing_images(row["images"], listed.get(row["id"], {}))]
            for row in rows
            if row.get("images") is not None
        }
        if not touched:
            return set()
        there: dict[str, list[Row]] = {}
        for stored in await self.database.fetch(queries.IMAGES, {"products": list(touched)}):
            there.setdefault(stored["product_id"], []).append(dict(stored))
        new, kept, gone, unknown = list[Row](), list[Row](), list[str](), list[str]()
        for product_id, images in touched.items():
            left = {image["id"]: image["url"] for image in there.get(product_id, [])}
            for image, row in zip(images, image_rows(product_id, images), strict=True):
                same = image.get("id") or next((id for id, url in left.items() if url == row["url"]), None)
                if same is not None and left.pop(same, None) is not None:
                    kept.append({name: row[name] for name in ("url", "rank")} | {"id": same})
                else:
                    new.append(row)
                    unknown += [image["id"]] if image.get("id") else []
            gone += left
        await self._refuse_others("product_image", unknown)
        await self.delete("product_image", gone)
        await self.update("product_image", kept)
        made = await self.create("product_image", new)
        if gone:
            await self.database.execute(queries.UNASSIGN_IMAGE_EVERYWHERE, {"ids": gone})
        return {row["id"] for row in made}

    async def _show_images(self, listed: ListedImages, new: Set[str]) -> None:
        """Have variants show the images that are listed for them; those that their products don't have become theirs. `new`: images that
        there weren't before."""
        if not listed:
            return
        variants: dict[str, set[str]] = {}
        for row in await self.database.fetch(queries.VARIANTS, {"products": list(listed)}):
            variants.setdefault(row["product_id"], set()).add(row["id"])
        assigned: dict[str, set[str]] = {}
        for row in await self.database.fetch(queries.ASSIGNED, {"products": list(listed)}):
            assigned.setdefault(row["image_id"], set()).add(row["variant_id"])
        images: dict[str, list[Row]] = {}
        for row in await self.database.fetch(queries.IMAGES, {"products": list(listed)}):
            images.setdefault(row["product_id"], []).append(dict(row))
        more, add, remove = list[Row](), Pairs(), Pairs()
        for product_id, urls in listed.items():
            there = images.setdefault(product_id, [])
            behind = max((image["rank"] for image in there), default=-1) + 1
            missing = [{**row, "rank": behind + row["rank"]} for row in image_rows(product_id, missing_images(there, urls))]
            there += missing
            more += missing
            both = [(image["id"], image["url"]) for image in there]
            added, removed = assignments(both, {*new, *(row["id"] for row in missing)}, assigned, variants[product_id], urls)
            add, remove = add + added, remove + removed
        await self.create("product_image", more)
        if add:
            await self.assign_images(add)
        if remove:
            await self.unassign_images(remove)
            await self._drop_thumbnails(remove, {image["id"]: image["url"] for rows in images.values() for image in rows})

    async def _drop_thumbnails(self, removed: Pairs, urls: Mapping[str, str]) -> None:
        """A variant whose thumbnail was one of its images loses it with the image."""
        shown = await self.list("product_variant", {"id": sorted({variant for variant, _ in removed})}, fields=("id", "thumbnail"))
        lost = {(variant, urls[image]) for variant, image in removed}
        bare = [row["id"] for row in shown if (row["id"], row["thumbnail"]) in lost]
        await self.update("product_variant", [{"id": id, "thumbnail": None} for id in bare])
