"""Options of products, and the values that variants are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InvalidData


@dataclass
class Choice:
    """An option of a product: with all its values, or some of them."""

    option_id: str
    title: str
    link_id: str
    """The row that links the option to the product."""
    values: dict[str, str] = field(default_factory=dict)
    """Value → its id."""
    is_exclusive: bool = True


Combination = frozenset[str]
"""Ids of the values that a variant is made of."""


def values_of(variant: Mapping[str, Any], choices: Sequence[Choice]) -> Combination:
    """The values that a variant names, `{"Size": "S", "Color": "Black"}`; none where it names no option at all.

    Raises InvalidData unless it names one value for every option of its product.
    """
    named: Mapping[str, Any] = variant.get("options") or {}
    if named and len(named) != len(choices):
        raise InvalidData(
            f"Product has {len(choices)} option values but there were {len(named)} "
            f"provided option values for the variant: {variant.get('title')}."
        )
    by_title = {choice.title: choice for choice in choices}
    found: set[str] = set()
    for title, value in named.items():
        choice = by_title.get(title)
        id = choice.values.get(str(value)) if choice is not None else None
        if id is None:
            raise InvalidData(f"Option value {value} does not exist for option {title}")
        found.add(id)
    return frozenset(found)


def completed(variant: Mapping[str, Any], values: Combination, choices: Sequence[Choice]) -> dict[str, Any]:
    """The options that a variant names, and those that it doesn't name as they are: with which of these `values` it is made."""
    there = {choice.title: value for choice in choices for value, id in choice.values.items() if id in values}
    return {**there, **(variant.get("options") or {})}


def refuse_missing(product_title: str, variants: Iterable[Mapping[str, Any]], choices: Sequence[Choice]) -> None:
    """Raises InvalidData if some variant of a new product leaves out an option."""
    missing = [
        str(variant.get("title"))
        for variant in variants
        for choice in choices
        if choice.title not in (variant.get("options") or {})
    ]  # fmt: skip
    if missing:
        raise InvalidData(f'Product "{product_title}" has variants with missing options: [{", ".join(missing)}]')


def refuse_twins(variants: Iterable[tuple[str, Combination]]) -> None:
    """Raises InvalidData if two variants (title, combination) of one product are made of the same values."""
    seen: dict[Combination, str] = {}
    for title, combination in variants:
        if combination and combination in seen:
            raise InvalidData(f'Variant "{seen[combination]}" has same combination of option values as "{title}".')
        seen[combination] = title


def refuse_twins_of(variants: Mapping[str, tuple[str, Combination]], changed: Iterable[str]) -> None:
    """Raises InvalidData if a `changed` one of a product's variants, id → (title, combination), is made of the same values as another."""
    for id in changed:
        title, combination = variants[id]
        twin = next((other for key, (other, made) in variants.items() if key != id and made == combination), None)
        if combination and twin is not None:
            raise InvalidData(f'Variant "{twin}" has same combination of option values as "{title}".')


def value_rows(option_id: str, given: Mapping[str, Any], new_id: Any) -> list[dict[str, Any]]:
    """Rows of the values of a new option."""
    ranks: Mapping[str, Any] = given.get("ranks") or {}
    return [{"id": new_id("optval"), "option_id": option_id, "value": value, "rank": ranks.get(value)} for value in text_values(given)]


def text_values(given: Mapping[str, Any]) -> list[str]:
    """The values of an option from input. Raises InvalidData unless they are a list of different texts."""
    values = given.get("values") or []
    named = (
        [value.get("value") if isinstance(value, Mapping) else value for value in values] if isinstance(values, list | tuple) else [None]
    )
    if not all(isinstance(value, str) for value in named):
        raise InvalidData(f"The values of option {given.get('title') or given.get('id')} have to be a list of strings")
    if len(set(named)) < len(named):
        raise InvalidData(f"The values of option {given.get('title') or given.get('id')} have to be different ones")
    return [str(value) for value in named]
