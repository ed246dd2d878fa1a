"""What a file says of a product's variants, held against those that it has: which of them a row means, and which images they show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set

from ...core.errors import InvalidData
from ...core.rows import Given, Row
from .choices import Choice, Combination, values_of

Pairs = list[tuple[str, str]]
"""(variant, image)."""


def matched(
    rows: Sequence[Given], known: Mapping[str, tuple[str, Combination]], skus: Mapping[str, str], choices: Sequence[Choice]
) -> list[str | None]:
    """The variant that each row means; None: a new one.

    A row means the variant with its id, else the one with its SKU, else the one that is made of the values that it names; where both are
    made of none, the one with its title. `known`: the product's variants, id → (title, values). `skus`: SKU → id.

    Raises InvalidData for an id that two rows name, and what `values_of` raises of a row that is known by its values alone.
    """
    found = [str(row["id"]) if row.get("id") in known else None for row in rows]
    twice = [id for id, count in Counter(found).items() if id is not None and count > 1]
    if twice:
        raise InvalidData(f"Variant with id: {twice[0]} is named twice")
    made: dict[Combination | str, str] = {}
    for id, (title, values) in known.items():
        made.setdefault(values or title, id)
    free = known.keys() - set(found)

    def by_sku(row: Given) -> str | None:
        return skus.get(str(row["sku"])) if row.get("sku") else None

    def by_values(row: Given) -> str | None:
        return made.get(values_of(row, choices) or str(row.get("title")))

    for meant in (by_sku, by_values):  # every SKU first: a row that says nothing else may not take what another one names
        for at, row in enumerate(rows):
            if found[at] is None and (means := meant(row)) is not None and means in free:
                found[at] = means
                free.discard(means)
    return found


def variants_of(product: Given) -> Sequence[Given]:
    """Those that the input of a product's update names: `variants`, or else `more_variants`."""
    return product["variants"] if product.get("variants") is not None else product.get("more_variants") or ()


# -- images


def missing_images(images: Sequence[Given], listed: Mapping[str, Sequence[str]]) -> list[Row]:
    """The images (`{url}`) that variants show and their product doesn't have. `listed`: the URLs of variants."""
    there = {image.get("url") for image in images}
    return [{"url": url} for url in dict.fromkeys(url for urls in listed.values() for url in urls) if url not in there]


def assignments(
    images: Sequence[tuple[str, str]],
    new: Set[str],
    assigned: Mapping[str, Set[str]],
    variants: Set[str],
    listed: Mapping[str, Sequence[str]],
) -> tuple[Pairs, Pairs]:
    """What to assign and unassign, so that variants show the images that are listed for them, and others those that they showed.

    A variant shows the images that are assigned to it, and those that are assigned to none. So an image that all variants show stays as it
    is, as does one that no row lists: it is everybody's. And no image is taken from its last variant, which would show it to all.

    `images`: (id, url), in order. `new`: those that there weren't. `assigned`: image → variants. `variants`: all of the product. `listed`:
    variant → URLs; a URL that two images have may stand there twice.
    """
    by_url: dict[str, list[str]] = {}
    for image, url in images:
        by_url.setdefault(url, []).append(image)
    showing: dict[str, set[str]] = {image: set() for image, _ in images}
    for variant, urls in listed.items():
        for url, count in Counter(urls).items():
            same = by_url[url]
            if len(same) > count:  # those first that it shows already
                shown_before = [image for image in same if image not in new and variant in assigned.get(image, {variant})]
                same = list(dict.fromkeys((*shown_before, *same)))
            for image in same[:count]:
                showing[image].add(variant)
    add: Pairs = []
    remove: Pairs = []
    for image, shown in showing.items():
        before = assigned.get(image) or frozenset[str]()
        if before:
            wanted = shown | (before - listed.keys())
        else:
            others = frozenset[str]() if image in new else variants - listed.keys()
            wanted = shown | others if shown and shown | others != variants else set()
        if wanted:
            add += [(variant, image) for variant in sorted(wanted - before)]
            remove += [(variant, image) for variant in sorted(before - wanted)]
    return add, remove
