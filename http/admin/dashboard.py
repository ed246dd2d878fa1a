"""Admin: what serves the dashboard itself: layouts of its pages, names of properties, flags, plugins."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema

from ...workflows.settings.labels import PROPERTY_LABELS, batch_property_labels
from ...workflows.settings.layouts import clear_layout_configuration, set_layout_configuration
from ..kit.access import PUBLIC
from ..kit.bodies import ABSENT, Body, Number, Part
from ..kit.filters import BOOLEAN, MANY, TEXT, Filters
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View
from ..kit.write import Write

routes = Routes()

FLAGS = {"caching": "cache", "translation": "translation", "view_configurations": "view_configurations"}
"""Medusa's flag → the setting that says whether that part is there. The dashboard hides the pages of those that aren't."""
NEVER = ("backend_hmr", "index_engine")
"""Flags of what isn't there at all."""

LAYOUT = View("layout_configuration", "id zone user_id is_system_default configuration created_at updated_at", limit=20)
LABEL = View("property_label", "id entity property label description created_at updated_at")


@routes.get("/admin/feature-flags", query=None, auth=PUBLIC)
async def feature_flags(request: Request) -> Answer:
    """List which optional parts of the API are enabled."""
    there = {flag: getattr(request.settings, setting) for flag, setting in FLAGS.items()}
    return {"feature_flags": {**dict.fromkeys(NEVER, False), **there}}


@routes.get("/admin/plugins", query=None)
async def list_plugins(request: Request) -> Answer:
    """List the loaded plugins."""
    return {"plugins": [{"name": name} for name in request.settings.plugins]}


# -- layouts


class Widget(Part):
    hidden: bool = ABSENT
    section: str = ABSENT
    order: Number = ABSENT


class Configuration(Part):
    widgets: dict[str, Widget]


class SetLayout(Body):
    is_default: bool = False
    configuration: Configuration


@routes.get("/admin/layouts/{zone}/configuration", query=None)
async def get_layout(request: Request) -> Answer:
    """Get the layout of a zone as the user sees it."""
    return {**await request.modules.settings.layouts(request.params["zone"], request.actor_id)}


@routes.post("/admin/layouts/{zone}/configuration", body=SetLayout, query=None)
async def set_layout(request: Request) -> Answer:
    """Set the layout of a zone, for the user or for all users."""
    return await request.run(set_layout_configuration, zone=request.params["zone"], user_id=request.actor_id, **request.body)


@routes.delete("/admin/layouts/{zone}/configuration", query=None)
async def clear_layout(request: Request) -> Answer:
    """Delete the user's own layout of a zone."""
    await request.run(clear_layout_configuration, zone=request.params["zone"], user_id=request.actor_id)
    return {"success": True}


@routes.get(
    "/admin/layouts/configurations",
    query=Filters(id=MANY, zone=MANY, user_id=MANY, is_system_default=BOOLEAN, logical=True),
    returns=LAYOUT,
    many=True,
)
async def list_layouts(request: Request) -> Answer:
    """List layouts."""
    return await request.fetch_list(LAYOUT)


# -- names of properties

Name = Annotated[str, Field(min_length=1), WithJsonSchema({"type": "string", "minLength": 1})]


class UpdateLabel(Body):
    label: Name = ABSENT
    description: str | None = None


class CreatePropertyLabel(Body):
    entity: Name
    property: Name
    label: Name
    description: str | None = None


class NewLabel(Part):
    entity: Name
    property: Name
    label: Name
    description: str | None = None


class ChangedLabel(Part):
    id: Name
    label: Name = ABSENT
    description: str | None = None


class BatchLabels(Body):
    create: list[NewLabel] = ABSENT
    update: list[ChangedLabel] = ABSENT
    delete: list[str] = ABSENT


@routes.post("/admin/property-labels/batch", body=BatchLabels, returns=LABEL)
async def batch_labels(request: Request) -> Answer:
    """Create, update and delete names of properties: all of it, or nothing."""
    given = {name: request.body.get(name, []) for name in ("create", "update", "delete")}
    done = await request.run(batch_property_labels, **given)
    ids = [*done["created"], *done["updated"]]
    rows = {row["id"]: row for row in (await request.rows(LABEL, {"id": ids})).rows} if ids else {}
    return {
        "created": [rows[id] for id in done["created"]],
        "updated": [rows[id] for id in done["updated"]],
        "deleted": [{"id": id, "object": "property_label", "deleted": True} for id in done["deleted"]],
    }


routes.resource(
    "/admin/property-labels",
    LABEL,
    PROPERTY_LABELS,
    list=Filters(entity=TEXT, property=TEXT, q=TEXT),
    create=Write(CreatePropertyLabel, status=201),
    update=UpdateLabel,
)
