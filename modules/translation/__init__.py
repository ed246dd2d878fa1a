"""Translations: what is said of a shop's things in other languages, and the locales that there are."""

from __future__ import annotations

from ...core.graph.links import Reference
from ...core.service.module import Module
from .service import TranslationService
from .tables import SCHEMA

TRANSLATED = (
    "product", "product_variant", "product_category", "product_collection", "product_tag", "product_type", "product_option",
    "product_option_value",
)  # fmt: skip
"""The entities that are asked for with their `translations`."""

MODULE = Module(
    name="translation",
    schema=SCHEMA,
    service=TranslationService,
    package=__name__,
    caching="rows",
    references=tuple(Reference("translation", entity, "reference_id", entity, back="translations") for entity in TRANSLATED),
)
