"""The translation module's messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from ...core.errors import InvalidData, NotFound
from ...core.ids import following, new_id
from ...core.message import reads, writes
from ...core.rows import Given, Row
from ...core.service.module import ModuleService
from ...core.service.remembering import remembered
from . import queries
from .locales import LOCALES, normal
from .tables import SCHEMA
from .types import Counts, Decided, Decision, Statistics, Translatable


class TranslationService(ModuleService):
    """The texts of a shop's things in other languages."""

    name = "translation"
    schema = SCHEMA

    # -- reading

    @reads
    async def texts(self, ids: Sequence[str], locale_code: str) -> dict[str, dict[str, str]]:
        """Id → column → text, of what is translated today. Things without a translation are left out. One statement."""
        rows = await self.database.fetch(queries.TEXTS, {"ids": list(ids), "locale": normal(locale_code)})
        return {id: texts for id, texts in rows if texts}

    @reads
    async def statistics(self, locales: Sequence[str], entities: Mapping[str, tuple[int, int]]) -> dict[str, Statistics]:
        """How much of some entities (how many rows there are, how many columns are translated) is translated into these locales."""
        codes = list(dict.fromkeys(map(normal, locales)))
        there = {(entity, code): count for entity, code, count in await self._counted(sorted(entities), sorted(codes))}
        return {
            entity: _statistics(rows * columns, {code: there.get((entity, code), 0) for code in codes})
            for entity, (rows, columns) in entities.items()
        }

    @remembered("translation", "translation_settings")
    async def _counted(self, entities: Sequence[str], locales: Sequence[str]) -> list[tuple[str, str, int]]:
        """How many texts there are, by entity and locale. Every translation is read for it: a second for some hundred thousand."""
        found = await self.database.fetch(queries.COUNTS, {"entities": list(entities), "locales": list(locales)})
        return [(entity, code, int(count)) for entity, code, count in found]

    # -- translations

    @writes
    async def create_translations(self, rows: Sequence[Given]) -> list[Row]:
        """Create translations (`reference`, `reference_id`, `locale_code`, `translations`). Raises InvalidData where there is one for the
        same thing and locale."""
        return [_shown(row) for row in await self.create("translation", [_stored(row) for row in rows])]

    @writes
    async def update_translations(self, rows: Sequence[Given]) -> list[Row]:
        """Change translations, each named by its `id`. Columns that `translations` doesn't name stay; an empty text takes one away."""
        return [_shown(row) for row in await self.update("translation", [_stored(row) for row in rows])]

    # -- what is translated

    @reads
    async def settings(self, translatable: Translatable) -> dict[str, Decision]:
        """What a merchant has decided about each of these entities, or what holds until they do: all of it is translated. Entities whose
        settings were deleted are left out."""
        decided = await self._decided(translatable)
        return {entity: found for entity, found in decided.items() if found["deleted_at"] is None}

    @writes
    async def decide(
        self, translatable: Translatable, create: Sequence[Given] = (), update: Sequence[Given] = (), delete: Sequence[str] = ()
    ) -> Decided:
        """Change what is translated: all of it or nothing. Deleted settings may be created again.

        Raises InvalidData for an entity or a column that can't be translated, and for settings that are there already; NotFound for an id
        that nothing has.
        """
        await self.database.fetch(queries.DECIDE)
        now = await self._decided(translatable)
        by_id = {each["id"]: entity for entity, each in now.items()}
        changed: dict[str, Any] = {}
        for id in delete:
            if id in by_id:
                changed[by_id[id]] = {**now[by_id[id]], "deleted": True}
        for row in update:
            entity = by_id.get(row["id"])
            if entity is None or now[entity]["deleted_at"] is not None or entity in changed:
                raise NotFound(f"TranslationSettings with id: {row['id']} was not found")
            _check(translatable, row.get("entity_type", entity), row.get("fields", ()))
            if row.get("entity_type", entity) != entity:
                raise InvalidData(f"TranslationSettings with id: {row['id']} are of {entity}")
            changed[entity] = {**now[entity], **row, "deleted": False}
        for row in create:
            entity = row["entity_type"]
            _check(translatable, entity, row["fields"])
            gone = changed[entity]["deleted"] if entity in changed else now[entity]["deleted_at"] is not None
            if not gone:
                raise InvalidData(f"TranslationSettings with entity_type: {entity}, already exists.")
            changed[entity] = {**now[entity], "is_active": True, **row, "id": now[entity]["id"], "deleted": False}
        if changed:
            await self.database.execute(queries.DECIDED, {"rows": list(changed.values())})
            self.touch("translation_settings", "translation")
        then = await self._decided(translatable)
        return {
            "created": [then[row["entity_type"]] for row in create],
            "updated": [then[by_id[row["id"]]] for row in update],
            "deleted": list(delete),
        }

    async def _decided(self, translatable: Translatable) -> dict[str, Decision]:
        rows: list[Decision] = await self.list("translation_settings", {"entity_type": list(translatable)}, with_deleted=True)
        stored = {row["entity_type"]: row for row in rows}
        return {entity: stored.get(entity) or _undecided(entity, columns) for entity, columns in translatable.items()}

    # -- locales

    @writes
    async def keep_locales(self) -> int:
        """Make the table hold all locales of `LOCALES`. Returns how many rows changed; may be repeated."""
        given = {"ids": [new_id("loc") for _ in LOCALES], "codes": list(LOCALES), "names": list(LOCALES.values())}
        changed = await self.database.execute(queries.KEEP_LOCALES, given)
        if changed:
            self.touch("locale")
        return changed


def _stored(row: Given) -> Row:
    made = {"texts" if name == "translations" else name: value for name, value in row.items()}
    return {**made, "locale_code": normal(made["locale_code"])} if "locale_code" in made else made


def _shown(row: Row) -> Row:
    return {"translations" if name == "texts" else name: value for name, value in row.items()}


@cache
def _id_of(entity: str) -> str:
    """The id of an entity's settings: known before they are stored, so that they can be named when they are first changed."""
    return f"trset_{following(lambda: (datetime.fromtimestamp(0, UTC), f'translation of {entity}'))()}"


def _undecided(entity: str, columns: Sequence[str]) -> Decision:
    at = "1970-01-01T00:00:00.000Z"
    id, fields = _id_of(entity), list(columns)
    return {"id": id, "entity_type": entity, "fields": fields, "is_active": True, "created_at": at, "updated_at": at, "deleted_at": None}


def _check(translatable: Translatable, entity: str, fields: Sequence[str]) -> None:
    if entity not in translatable:
        raise InvalidData(f"Invalid translation settings:\n- {entity} is not a translatable entity")
    unknown = [name for name in fields if name not in translatable[entity]]
    if unknown:
        problem = f"doesn't have the following fields set as translatable: {', '.join(unknown)}"
        raise InvalidData(f"Invalid translation settings:\n- {entity} {problem}")


def _statistics(expected: int, translated: Mapping[str, int]) -> Statistics:
    by_locale = {code: _counts(expected, count) for code, count in translated.items()}
    return {**_counts(expected * len(translated), sum(translated.values())), "by_locale": by_locale}


def _counts(expected: int, translated: int) -> Counts:
    """Translations of what was deleted count as well, so there may be more than expected."""
    return {"expected": expected, "translated": translated, "missing": max(expected - translated, 0)}
