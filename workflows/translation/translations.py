"""Translations of a shop's things."""

from __future__ import annotations

from typing import TypedDict

from ...core.rows import Row
from ...modules.translation.service import TranslationService
from ..kit import Flow, workflow
from ..plain import Plain

TRANSLATIONS = Plain(
    "translation",
    "create-translations",
    "update-translations",
    "delete-translations",
    event="translation",
    create_by=TranslationService.create_translations,
    update_by=TranslationService.update_translations,
)


class Done(TypedDict):
    created: list[str]
    updated: list[str]
    deleted: list[str]


@workflow("batch-translations")
async def batch_translations(flow: Flow, create: list[Row], update: list[Row], delete: list[str]) -> Done:
    """Create, update and delete translations: all of it, or nothing. Deleted ones make room for new ones. Returns ids.

    Texts for what isn't a translatable column of the thing are left out. Raises what the three flows raise.
    """
    if bool(create) + bool(update) + bool(delete) > 1:
        flow.durably()
    unsaid = [row["id"] for row in update if "translations" in row and "reference" not in row]
    stored = await flow.modules.translation.list("translation", {"id": unsaid}, fields=("id", "reference")) if unsaid else []
    references = {row["id"]: row["reference"] for row in stored}
    if delete:
        await flow.run(TRANSLATIONS.delete, delete)
    updated = await flow.run(TRANSLATIONS.update, [_of_columns(flow, row, references.get(row["id"])) for row in update]) if update else []
    created = await flow.run(TRANSLATIONS.create, [_of_columns(flow, row) for row in create]) if create else []
    return {"created": [row["id"] for row in created], "updated": [row["id"] for row in updated], "deleted": delete}


def _of_columns(flow: Flow, row: Row, reference: str | None = None) -> Row:
    """A translation with the texts of columns alone that are translated. `reference`: what it is of, where the row doesn't say."""
    if "translations" not in row:
        return row
    columns = flow.graph.catalogue.translatable.get(row.get("reference", reference) or "", ())
    return {**row, "translations": {name: text for name, text in row["translations"].items() if name in columns}}
