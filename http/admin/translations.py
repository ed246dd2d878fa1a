"""Admin: translations, what is translated, and the locales that there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.json import dumps
from ...core.rows import Row
from ...core.sql.schema.query import Query
from ...modules.translation.types import Decision
from ...workflows.translation.settings import batch_translation_settings
from ...workflows.translation.translations import batch_translations
from ..kit.bodies import ABSENT, Body, Part
from ..kit.cached import Cached
from ..kit.filters import BOOLEAN, MANY, TEXT, Filters, required
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View

routes = Routes()

LOCALE = View("locale", "code name", limit=200)
TRANSLATION = View("translation", "id reference_id reference locale_code translations", limit=20)

# -- locales


@routes.get(
    "/admin/locales", returns=LOCALE, query=Filters(q=TEXT, code=MANY, logical=True), many=True, cached=Cached(), flag="translation"
)
async def list_locales(request: Request) -> Answer:
    """List locales."""
    return await request.fetch_list(LOCALE)


@routes.get("/admin/locales/{code}", returns=LOCALE, cached=Cached(), flag="translation")
async def get_locale(request: Request) -> Answer:
    """Get a locale."""
    return await request.fetch(LOCALE, request.params["code"], by="code")


# -- translations


class NewTranslation(Part):
    reference_id: str
    reference: str
    locale_code: str
    translations: dict[str, str]


class ChangedTranslation(Part):
    id: str
    reference_id: str = ABSENT
    reference: str = ABSENT
    locale_code: str = ABSENT
    translations: dict[str, str] = ABSENT


class BatchTranslations(Body):
    create: list[NewTranslation] = ABSENT
    update: list[ChangedTranslation] = ABSENT
    delete: list[str] = ABSENT


@routes.get(
    "/admin/translations",
    returns=TRANSLATION,
    query=Filters(q=TEXT, reference_id=MANY, reference=TEXT, locale_code=TEXT, logical=True),
    many=True,
    flag="translation",
)
async def list_translations(request: Request) -> Answer:
    """List translations."""
    return await request.fetch_list(TRANSLATION)


routes.batch(
    "/admin/translations/batch",
    TRANSLATION,
    batch_translations,
    "Create, update and delete translations.",
    body=BatchTranslations,
    object="translation",
    query=None,
    flag="translation",
)


@routes.get(
    "/admin/translations/entities",
    returns=TRANSLATION,
    query=Filters(type=required(TEXT), id=MANY),
    many=True,
    envelope="data count offset limit",
    flag="translation",
)
async def list_entities(request: Request) -> Answer:
    """List things of one kind: what of them is translated, with all of their translations."""
    entity, paging = request.filters["type"], request.page
    settings = await request.modules.translation.settings(request.graph.catalogue.translatable)
    if entity not in settings:
        return {"data": [], "count": 0, "offset": 0, "limit": 0}
    ids = {"id": request.filters["id"]} if "id" in request.filters else {}
    page = await request.graph.query(
        Query(
            entity,
            fields=("id", *settings[entity]["fields"]),
            filters=ids,
            order=paging.order,
            limit=paging.limit,
            offset=paging.offset,
            with_deleted=paging.with_deleted,
            count=True,
        )
    )
    rows = page.own_rows()
    said: dict[str, list[Row]] = {row["id"]: [] for row in rows}
    found = await request.graph.query(Query("translation", ("*",), {"reference_id": list(said)})) if rows else None
    for each in found.own_rows() if found is not None else ():
        said[each["reference_id"]].append(each)
    data = [{**row, "translations": said[row["id"]]} for row in rows]
    return dumps({"data": data, "count": page.count, "offset": paging.offset, "limit": paging.limit})


STATISTICS = Filters(strict=False, locales=required(MANY), entity_types=required(MANY))


@routes.get("/admin/translations/statistics", query=STATISTICS, envelope="statistics", flag="translation")
async def statistics(request: Request) -> Answer:
    """Count how much of some kinds of things is translated into some locales."""
    kinds, locales = (_list(request.filters[name]) for name in ("entity_types", "locales"))
    settings = await request.modules.translation.settings(request.graph.catalogue.translatable)
    entities: dict[str, tuple[int, int]] = {}
    for kind in kinds:
        columns = len(_fields(settings[kind])) if kind in settings else 0
        entities[kind] = (await request.owner_of(kind).count(kind) if columns else 0, columns)
    return {"statistics": await request.modules.translation.statistics(locales, entities)}


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


# -- what is translated


class NewSettings(Part):
    entity_type: str
    fields: list[str]
    is_active: bool = ABSENT


class ChangedSettings(Part):
    id: str
    entity_type: str = ABSENT
    fields: list[str] = ABSENT
    is_active: bool = ABSENT


class BatchSettings(Body):
    create: list[NewSettings] = ABSENT
    update: list[ChangedSettings] = ABSENT
    delete: list[str] = ABSENT


@routes.get(
    "/admin/translations/settings",
    query=Filters(entity_type=TEXT, is_active=BOOLEAN),
    envelope="translation_settings",
    flag="translation",
)
async def get_settings(request: Request) -> Answer:
    """Show which columns of which kinds of things are translated."""
    translatable, asked = request.graph.catalogue.translatable, request.filters
    settings = await request.modules.translation.settings(translatable)
    return {
        "translation_settings": {
            entity: {
                "id": one["id"],
                "fields": _fields(one),
                "inactive_fields": [name for name in translatable[entity] if name not in _fields(one)],
                "is_active": one["is_active"],
            }
            for entity, one in settings.items()
            if asked.get("entity_type", entity) == entity and asked.get("is_active", one["is_active"]) == one["is_active"]
        }
    }


def _fields(settings: Decision) -> list[str]:
    return settings["fields"] if settings["is_active"] else []


@routes.post("/admin/translations/settings/batch", body=BatchSettings, query=None, flag="translation")
async def batch_settings(request: Request) -> Answer:
    """Say which columns of which kinds of things are translated."""
    given: Mapping[str, Any] = {name: request.body.get(name, []) for name in ("create", "update", "delete")}
    done = await request.run(batch_translation_settings, **given)
    return {**done, "deleted": {"ids": done["deleted"], "object": "translation_settings", "deleted": True}}
