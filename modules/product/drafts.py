"""New products: input, checked and turned into rows, table by table, so that any number of products is a few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...core.errors import InvalidData, NotFound
from ...core.ids import new_id
from ...core.rows import Given, Row
from .choices import Choice, Combination, refuse_missing, refuse_twins, value_rows, values_of
from .handles import checked_handle, handle_of
from .matching import assignments, missing_images

NESTED = frozenset(
    {"options", "option_ids", "more_options", "variants", "more_variants", "images", "tags", "tag_ids", "categories", "category_ids"}
)
"""Members of a product's input that aren't columns."""
VARIANT_NESTED = frozenset({"options", "images", "image_urls"})


@dataclass
class NewRows:
    """Rows to insert, in the order in which they refer to each other."""

    products: list[Row] = field(default_factory=list)
    images: list[Row] = field(default_factory=list)
    options: list[Row] = field(default_factory=list)
    values: list[Row] = field(default_factory=list)
    links: list[Row] = field(default_factory=list)
    """Options of products."""
    link_values: list[Row] = field(default_factory=list)
    """The chosen values of shared options."""
    variants: list[Row] = field(default_factory=list)
    variant_values: list[tuple[str, str]] = field(default_factory=list)
    """(variant, value)."""
    tags: list[tuple[str, str]] = field(default_factory=list)
    """(product, tag)."""
    categories: list[tuple[str, str]] = field(default_factory=list)
    """(product, category)."""
    shown: list[Row] = field(default_factory=list)
    """Images of variants."""

    # -- adding

    def add_product(self, given: Given, shared: Mapping[str, Row], *, strict: bool) -> None:
        """Add a product with everything in its input. `shared`: the existing options that it names, by id. `strict`: each of its variants
        has a value for each option, and no two have the same ones.

        Raises InvalidData for input that breaks the rules of options, variants or handles.
        """
        product = product_row(given)
        self.products.append(product)
        choices = [self.add_option(product["id"], option, shared) for option in given.get("options") or []]
        refuse_same_titles(choices)
        variants: Sequence[Given] = given.get("variants") or []
        first = len(self.variants)
        if strict:
            refuse_missing(product["title"], variants, choices)
        combinations = self.add_variants(product["id"], variants, choices)
        if strict:
            refuse_twins((str(variant.get("title")), made) for variant, made in zip(variants, combinations, strict=True))
        self._add_images(product["id"], given.get("images") or [], [row["id"] for row in self.variants[first:]], variants)
        self.tags += [(product["id"], id) for id in ids_of(given, "tags", "tag_ids")]
        self.categories += [(product["id"], id) for id in ids_of(given, "categories", "category_ids")]

    def _add_images(self, product_id: str, images: Sequence[Given], ids: Sequence[str], variants: Sequence[Given]) -> None:
        listed = {id: variant["image_urls"] for id, variant in zip(ids, variants, strict=True) if variant.get("image_urls")}
        rows = image_rows(product_id, [*images, *missing_images(images, listed)])
        self.images += rows
        if listed:
            new = [(row["id"], row["url"]) for row in rows]
            add, _ = assignments(new, {row["id"] for row in rows}, {}, set(ids), listed)
            self.shown += [{"id": new_id("pvpi"), "variant_id": variant, "image_id": image} for variant, image in add]

    def add_option(self, product_id: str, given: Given, shared: Mapping[str, Row]) -> Choice:
        """Add an option to a product: an existing one (`id`, perhaps only some `value_ids` of it), or a new one of its own."""
        existing = given.get("id")
        if existing is not None:
            option = shared.get(existing)
            if option is None:
                raise NotFound(f"ProductOption with id: {existing} was not found")
            return self.link(product_id, option, given.get("value_ids"))
        option = option_row(given, exclusive=True)
        values = value_rows(option["id"], given, new_id)
        self.options.append(option)
        self.values += values
        return self.link(product_id, option | {"values": values}, None)

    def link(self, product_id: str, option: Row, value_ids: Sequence[str] | None) -> Choice:
        """Link an option to a product, with all its values or the given ones. Raises InvalidData for a value that isn't the option's."""
        link_id = new_id("prodopt")
        known = {value["id"]: value["value"] for value in option["values"]}
        wanted = list(dict.fromkeys(value_ids)) if value_ids is not None else list(known)
        foreign = [id for id in wanted if id not in known]
        if foreign:
            raise InvalidData(f"Option {option['title']} has no value with id: {', '.join(map(str, foreign))}")
        self.links.append({"id": link_id, "product_id": product_id, "product_option_id": option["id"]})
        self.add_link_values(link_id, wanted)
        return Choice(option["id"], option["title"], link_id, {known[id]: id for id in wanted}, option["is_exclusive"])

    def add_link_values(self, link_id: str, value_ids: Sequence[str]) -> None:
        self.link_values += [
            {"id": new_id("prodoptval"), "product_product_option_id": link_id, "product_option_value_id": id} for id in value_ids
        ]

    def add_variants(self, product_id: str, given: Sequence[Given], choices: Sequence[Choice]) -> list[Combination]:
        """Add variants to a product. Returns the combinations of values that they are made of."""
        combinations = [values_of(variant, choices) for variant in given]
        for variant, combination in zip(given, combinations, strict=True):
            row = {name: value for name, value in variant.items() if name not in VARIANT_NESTED}
            row["id"] = row.get("id") or new_id("variant")
            row["product_id"] = product_id
            if not row.get("title"):
                raise InvalidData("A variant needs a title")
            self.variants.append(row)
            self.variant_values += [(row["id"], value) for value in sorted(combination)]
        return combinations


def product_row(given: Given) -> Row:
    """The columns of a new product, with derived ones filled in."""
    row = {name: value for name, value in given.items() if name not in NESTED}
    title = row.get("title")
    if not isinstance(title, str) or not title:
        raise InvalidData("A product needs a title")
    row["id"] = row.get("id") or new_id("prod")
    # a title without a letter that a URL can hold gives no handle: then the id is used
    row["handle"] = (
        checked_handle(row["handle"], "product") if row.get("handle") else handle_of(title) or row["id"].lower().replace("_", "-")
    )
    row["status"] = row.get("status") or "draft"
    images = given.get("images") or []
    if not row.get("thumbnail") and images:
        row["thumbnail"] = images[0].get("url")
    return undiscounted(row)


def undiscounted(row: Row) -> Row:
    """A product's columns; a gift card among them isn't discountable: it would be worth more than was paid for it."""
    return {**row, "discountable": False} if row.get("is_giftcard") else row


def option_row(given: Given, *, exclusive: bool) -> Row:
    """The columns of a new option. `exclusive`: the default of `is_exclusive`."""
    title = given.get("title")
    if not isinstance(title, str) or not title:
        raise InvalidData("An option needs a title")
    is_exclusive = given.get("is_exclusive")
    return {
        "id": new_id("opt"),
        "title": title,
        "is_exclusive": exclusive if is_exclusive is None else is_exclusive,
        "metadata": given.get("metadata"),
    }


def image_rows(product_id: str, given: Sequence[Given]) -> list[Row]:
    return [
        {"id": new_id("img"), "url": image.get("url"), "metadata": image.get("metadata"), "rank": rank, "product_id": product_id}
        for rank, image in enumerate(given)
    ]


def ids_of(given: Given, relation: str, ids: str) -> list[str]:
    """`tags: [{id}]` or `tag_ids: [id]`, whichever is given."""
    listed = given.get(ids)
    if listed is None:
        listed = [each.get("id") for each in given.get(relation) or []]
    if not all(isinstance(id, str) for id in listed):
        raise InvalidData(f"The {relation} of a product are given by their ids")
    return list(dict.fromkeys(listed))


def refuse_same_titles(choices: Sequence[Choice]) -> None:
    """Raises InvalidData for two options with one title: variants name options by title."""
    seen: set[str] = set()
    for choice in choices:
        if choice.title in seen:
            raise InvalidData(f"Product option with title: {choice.title}, already exists.")
        seen.add(choice.title)
