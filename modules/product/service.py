"""The product module's messages about products and variants. Options, images and categories have files of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from ...core.errors import InvalidData, NotFound
from ...core.ids import new_id
from ...core.message import reads, writes
from ...core.rows import Given, Row, Typed, TypedRows
from . import queries
from .categories import Categories
from .choices import Choice, Combination, completed, refuse_twins, refuse_twins_of, values_of
from .drafts import NESTED, VARIANT_NESTED, NewRows, ids_of, undiscounted
from .entities import SCHEMA
from .handles import checked_handle, handle_of, handle_of_group
from .images import ListedImages, ProductImages
from .matching import matched, variants_of
from .options import Choices, OptionChanges, ProductOptions, with_more
from .tables import product_category_product, product_tags, product_variant_option


class VariantsUpdated(TypedDict):
    variants_created: list[Row]
    variants_updated: list[Row]
    variants_deleted: list[str]
    variants_named: list[str]
    """The ids of the variants that the rows name, in their order."""


class ProductsUpdated(VariantsUpdated):
    products: list[Row]
    """The products as they are stored now."""


class ProductsDeleted(TypedDict):
    """The ids that were deleted."""

    products: list[str]
    variants: list[str]
    options: list[str]


class ProductService(ProductOptions, ProductImages, Categories):
    """Products with their variants, options and images, and what groups them."""

    name = "product"
    schema = SCHEMA

    # -- products

    @reads
    async def list_products(
        self, filters: Given | None = None, *, fields: Sequence[str] = ("*",), limit: int | None = None, offset: int = 0
    ) -> list[Row]:
        """Products for business code: rows by the filters of the API, with the named fields."""
        return await self.list("product", filters, fields=fields, limit=limit, offset=offset)

    @writes(one_statement=lambda rows: not any(option.get("id") for row in rows for option in row.get("options") or ()))
    async def create_products(self, rows: Sequence[Given]) -> list[Row]:
        """Create products with everything that belongs to them. Returns them in the order given; each with its `variants` in the order
        given.

        A row has the product's columns and `options` (`{title, values, ranks?}` of its own, or `{id, value_ids?}` of a shared one),
        `variants` (columns, `options`: {title: value}, and `image_urls` that they show: see `assignments`), `images` (`{url}`), `tags` and
        `categories` (`[{id}]`). Missing ids are made; the handle comes from the title, the thumbnail from the first image.

        Raises InvalidData for a taken handle, sku, ean, upc or barcode, for a variant that names only some options or an unknown value, and
        in a strict shop for a variant without options and for two with the same values; NotFound for an unknown tag, category, type or
        collection.
        """
        options = [option for row in rows for option in row.get("options") or []]
        shared = await self._options([option["id"] for option in options if option.get("id")])
        new = NewRows()
        for row in rows:
            new.add_product(row, shared, strict=self.context.settings.strict_variants)
        pairs = ((product_variant_option, new.variant_values), (product_tags, new.tags), (product_category_product, new.categories))
        parts = (
            ("product", new.products),
            ("product_variant", new.variants),
            ("product_image", new.images),
            ("product_option", new.options),
            ("product_option_value", new.values),
            ("product_product_option", new.links),
            ("product_product_option_value", new.link_values),
            ("product_variant_product_image", new.shown),
        )
        products, variants, *_ = await self._create_together(parts, pairs)
        by_product: dict[str, list[Row]] = {product["id"]: [] for product in products}
        for variant in variants:
            by_product[variant["product_id"]].append(variant)
        return [product | {"variants": by_product[product["id"]]} for product in products]

    @writes
    async def update_products(self, rows: Sequence[Given]) -> ProductsUpdated:
        """Change products; each row names its `id`, and only what it names changes.

        Lists replace the old ones: `options` (matched by id or title) or `option_ids`, `variants` (matched by id), `images` (matched by
        id or url, ranked as given), `tags`, `categories`. A variant that isn't named is deleted. But `more_options` (see `with_more`) and
        `more_variants` (in the place of `variants`; see `matched`) take none away, whoever adds some at the same time. `image_urls` of a
        variant: see `assignments`.

        Raises NotFound, or what `create_products` raises; nothing changes then.
        """
        ids = [row["id"] for row in rows]
        if len(set(ids)) < len(ids):
            raise InvalidData("The same product is named twice")
        await self._hold(ids)
        async with self.keeping(queries.PRODUCT_ROWS, ids):
            products = await self.update("product", [_product_changes(row) for row in rows])
            choices = await self._choices(ids)
            changes = await self._replace_options(rows, choices)
            variants = await self._replace_variants(rows, choices)
            await self._refuse_lost(changes, ids)
            listed = _listed_images(rows, variants["variants_named"])
            await self._show_images(listed, await self._replace_images(rows, listed))
            await self._replace_pivots(rows)
        return {"products": products, **variants}

    @writes
    async def delete_products(self, ids: Sequence[str]) -> ProductsDeleted:
        """Soft delete, with variants, images and a product's own options. Unknown ids are left out of the answer."""
        await self._lock(self.schema["product"], ids)  # no other writer can add a variant to one from here on
        options = [choice.option_id for each in (await self._choices(ids)).values() for choice in each if choice.is_exclusive]
        variants = [row["id"] for row in await self.list("product_variant", {"product_id": list(ids)}, fields=("id",))]
        return {
            "products": await self.delete("product", ids),
            "variants": variants,
            "options": await self.delete("product_option", options),
        }

    # -- variants

    @writes
    async def create_variants(self, rows: Sequence[Given]) -> list[Row]:
        """Create variants of existing products (`product_id`, columns, `options`: {title: value}), after the existing ones.

        Raises NotFound for the product, InvalidData for options as `create_products` does, or if a variant with these values exists.
        """
        by_product = _grouped(rows)
        await self._hold(by_product)
        choices = await self._choices(list(by_product))
        there = await self._combinations(list(by_product))
        new = NewRows()
        for product_id, given in by_product.items():
            taken = there.get(product_id, {})
            made = new.add_variants(product_id, given, choices.get(product_id, []))
            refuse_twins((str(row.get("title")), values) for row, values in zip(given, made, strict=True))
            _refuse_taken(zip(given, made, strict=True), taken)
        await self._insert_variants(new)
        stored = {variant["id"]: variant for variant in new.variants}
        return await self._stored_variants(list(stored))

    @writes
    async def update_variants(self, rows: Sequence[Given]) -> list[Row]:
        """Change variants; each row names its `id`. `options`, where named, replaces all of a variant's values.

        Raises NotFound, or InvalidData where two variants of a product would be made of the same values.
        """
        products = {
            row["id"]: row["product_id"]
            for row in await self.database.fetch(queries.PRODUCTS_OF_VARIANTS, {"ids": [r["id"] for r in rows]})
        }
        for row in rows:
            if row["id"] not in products:
                raise NotFound(f"ProductVariant with id: {row['id']} was not found")
        product_ids = sorted(set(products.values()))
        await self._hold(product_ids)
        choices = await self._choices(product_ids)
        there = await self._combinations(product_ids)
        changed: list[Row] = []
        for row in rows:
            product_id = products[row["id"]]
            title = row.get("title") or there[product_id][row["id"]][0]
            changed.append({name: value for name, value in row.items() if name not in VARIANT_NESTED and name != "product_id"})
            if row.get("options"):
                there[product_id][row["id"]] = (title, values_of({**row, "title": title}, choices.get(product_id, [])))
        for combinations in there.values():
            refuse_twins_of(combinations, [row["id"] for row in rows if row.get("options") and row["id"] in combinations])
        variants = await self.update("product_variant", changed)
        renewed = {row["id"]: there[products[row["id"]]][row["id"]][1] for row in rows if row.get("options")}
        if renewed:
            async with self.keeping(queries.VALUES_OF_VARIANTS, list(renewed)):
                await self._give_values(renewed)
        return variants

    # -- collections

    @writes
    async def create(self, entity: str, rows: Sequence[Given]) -> TypedRows[Typed]:
        """As everywhere; a collection's handle comes from its title unless one is given."""
        if entity == "product_collection":
            rows = [{**row, "id": row.get("id") or new_id("pcol")} for row in rows]
            # a title without a letter that a URL can hold gives no handle: then the id is used
            rows = [
                {**row, "handle": row.get("handle") or handle_of_group(str(row.get("title") or "")) or _id_as_handle(row)} for row in rows
            ]
        return await super().create(entity, rows)

    @writes
    async def set_collection_products(
        self, collection_id: str, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> dict[str, list[str]]:
        """Put products into a collection, take others out. Returns what changed, as `{"added", "removed"}`. Raises NotFound."""
        await self.retrieve("product_collection", collection_id, fields=("id",))
        await self._hold([*add, *remove])
        there = await self.list("product", {"id": [*add, *remove]}, fields=("id", "collection_id"))
        inside = {row["id"] for row in there if row["collection_id"] == collection_id}
        added = [id for id in dict.fromkeys(add) if id not in inside]
        removed = [id for id in dict.fromkeys(remove) if id in inside and id not in add]
        await self.update("product", [{"id": id, "collection_id": collection_id} for id in added])
        await self.update("product", [{"id": id, "collection_id": None} for id in removed])
        return {"added": added, "removed": removed}

    # -- inside

    async def _insert_variants(self, new: NewRows) -> list[Row]:
        variants = await self.create("product_variant", new.variants)
        if new.variant_values:
            lefts, rights = zip(*new.variant_values, strict=True)
            await self.database.execute(queries.GIVE_VALUES, {"lefts": list(lefts), "rights": list(rights)})
            self.keep_pairs(product_variant_option, new.variant_values)
        return variants

    async def _stored_variants(self, ids: Sequence[str]) -> list[Row]:
        by_id = {row["id"]: row for row in await self.list("product_variant", {"id": list(ids)})}
        return [by_id[id] for id in ids]

    async def _combinations(self, product_ids: Sequence[str]) -> dict[str, dict[str, tuple[str, Combination]]]:
        """Variants by product: id → (title, values)."""
        found: dict[str, dict[str, tuple[str, Combination]]] = {}
        for row in await self.database.fetch(queries.VARIANTS, {"products": list(product_ids)}):
            found.setdefault(row["product_id"], {})[row["id"]] = (row["title"], frozenset(row["values"]))
        return found

    async def _give_values(self, combinations: Mapping[str, Combination]) -> None:
        """Set the values of variants to exactly these."""
        if not combinations:
            return
        pairs = [(variant, value) for variant, values in combinations.items() for value in sorted(values)]
        lefts, rights = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        await self.database.execute(queries.TAKE_OTHER_VALUES, {"lefts": list(combinations), "pair_lefts": lefts, "pair_rights": rights})
        await self.database.execute(queries.GIVE_VALUES, {"lefts": lefts, "rights": rights})

    async def _replace_options(self, rows: Sequence[Given], choices: Choices) -> OptionChanges:
        """Apply the rows' changes of options; afterwards `choices` holds the products' new options."""
        changes = OptionChanges()
        touched = {row["id"]: given for row in rows if (given := _given_options(row, choices.get(row["id"], []))) is not None}
        if not touched:
            return changes
        named = [option["id"] for options in touched.values() for option in options if option.get("id")]
        shared = await self._options(named + [choice.option_id for id in touched for choice in choices.get(id, [])])
        for id, options in touched.items():
            choices[id] = changes.replace(id, options, choices.get(id, []), shared)
        await self._apply(changes)
        return changes

    async def _replace_variants(self, rows: Sequence[Given], choices: Choices) -> VariantsUpdated:
        touched = {row["id"]: row for row in rows if row.get("variants") is not None or row.get("more_variants")}
        if not touched:
            return {"variants_created": [], "variants_updated": [], "variants_deleted": [], "variants_named": []}
        there = await self._combinations(list(touched))
        skus = await self._skus([id for id, row in touched.items() if row.get("variants") is None])
        new, kept, deleted, ids = NewRows(), list[Given](), list[str](), list[str]()
        renewed: dict[str, Combination] = {}
        for product_id, row in touched.items():
            known, chosen = there.get(product_id, {}), choices.get(product_id, [])
            variants = variants_of(row)
            await self._refuse_others("product_variant", [v["id"] for v in variants if v.get("id") and v["id"] not in known])
            others: dict[str, tuple[str, Combination]] = {}
            if row.get("variants") is None:
                means = matched(variants, known, skus.get(product_id, {}), chosen)
                variants = [
                    {**variant, "id": id}
                    | ({"options": completed(variant, known[id][1], chosen)} if id is not None and variant.get("options") else {})
                    for variant, id in zip(variants, means, strict=True)
                ]
                others = {id: known[id] for id in known.keys() - set(means)}
            named = {variant["id"] for variant in variants if variant.get("id") in known}
            deleted += [id for id in known if id not in named and id not in others]
            here = [variant for variant in variants if variant.get("id") in named]
            kept += here
            after = self._combined(here, known, chosen)
            renewed |= {variant["id"]: after[variant["id"]][1] for variant in here if variant.get("options")}
            fresh = [{**variant, "id": None} for variant in variants if variant.get("id") not in named]
            first = len(new.variants)
            made = new.add_variants(product_id, fresh, chosen)
            newly = {str(at): (str(v.get("title")), values) for at, (v, values) in enumerate(zip(fresh, made, strict=True))}
            refuse_twins_of(others | after | newly, [*(id for id in named if id in renewed), *newly])
            created = iter(new.variants[first:])
            ids += [variant["id"] if variant.get("id") in named else next(created)["id"] for variant in variants]
        await self.delete("product_variant", deleted)
        updated = await self.update("product_variant", [{n: v for n, v in row.items() if n not in VARIANT_NESTED} for row in kept])
        await self._give_values(renewed)
        inserted = await self._insert_variants(new)
        return {"variants_created": inserted, "variants_updated": updated, "variants_deleted": deleted, "variants_named": ids}

    async def _skus(self, product_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """Variants by product: SKU → id."""
        skus: dict[str, dict[str, str]] = {}
        fields = ("id", "product_id", "sku")
        for row in await self.list("product_variant", {"product_id": list(product_ids)}, fields=fields) if product_ids else ():
            skus.setdefault(row["product_id"], {})[row["sku"]] = row["id"]
        return skus

    @staticmethod
    def _combined(
        variants: Sequence[Given], known: Mapping[str, tuple[str, Combination]], choices: Sequence[Choice]
    ) -> dict[str, tuple[str, Combination]]:
        """The remaining variants after the change: id → (title, values)."""
        after = {}
        for variant in variants:
            title, values = known[variant["id"]]
            title = variant.get("title") or title
            after[variant["id"]] = (title, values_of({**variant, "title": title}, choices) if variant.get("options") else values)
        return after

    async def _replace_pivots(self, rows: Sequence[Given]) -> None:
        for relation, ids, drop, add in (
            ("tags", "tag_ids", queries.UNTAG_OTHERS, queries.TAG),
            ("categories", "category_ids", queries.UNCATEGORISE_OTHERS, queries.CATEGORISE),
        ):
            touched = [row for row in rows if row.get(relation) is not None or row.get(ids) is not None]
            if touched:
                pairs = [(row["id"], id) for row in touched for id in ids_of(row, relation, ids)]
                lefts, rights = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
                await self.database.execute(drop, {"lefts": [row["id"] for row in touched], "pair_lefts": lefts, "pair_rights": rights})
                await self.database.execute(add, {"lefts": lefts, "rights": rights})


def _listed_images(rows: Sequence[Given], ids: Sequence[str]) -> ListedImages:
    """`ids`: those of the variants that the rows name."""
    listed: ListedImages = {}
    named = iter(ids)
    for row in rows:
        for variant, id in zip(variants_of(row), named, strict=False):
            if variant.get("image_urls"):
                listed.setdefault(row["id"], {})[id] = variant["image_urls"]
    return listed


def _product_changes(row: Given) -> Row:
    changes = {name: value for name, value in row.items() if name not in NESTED}
    if "handle" in changes:
        changes["handle"] = checked_handle(changes["handle"] or handle_of(str(row.get("title") or "")), "product")
    return undiscounted(changes)


def _id_as_handle(row: Given) -> str:
    return str(row["id"]).lower().replace("_", "-")


def _given_options(row: Given, known: Sequence[Choice]) -> Sequence[Given] | None:
    """All options that a product has from now on; None: those that it has."""
    if row.get("options") is not None:
        return list(row["options"])
    if row.get("option_ids") is not None:
        return [{"id": id} for id in row["option_ids"]]
    return with_more(known, row.get("more_options") or ())


def _grouped(rows: Sequence[Given]) -> dict[str, list[Given]]:
    by_product: dict[str, list[Given]] = {}
    for row in rows:
        if not row.get("product_id"):
            raise InvalidData("A variant needs a product_id")
        by_product.setdefault(row["product_id"], []).append(row)
    return by_product


def _refuse_taken(made: Any, taken: Mapping[str, tuple[str, Combination]]) -> None:
    """Raises InvalidData if a new variant is made of the values of an existing one."""
    combinations = {values for _, values in taken.values() if values}
    for given, values in made:
        if values in combinations:
            raise InvalidData(f"Variant ({given['title']}) with provided options already exists.")
