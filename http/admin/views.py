"""Admin: views of the dashboard's lists: which columns there are, and which of them users have chosen."""

from __future__ import annotations

from typing import Any

from ...core.errors import InvalidData
from ...core.json import dumps
from ...core.rows import Row
from ...workflows.settings.views import (
    choose_view_configuration,
    create_view_configuration,
    delete_view_configuration,
    update_view_configuration,
)
from ..kit.bodies import ABSENT, Body, Number, Part
from ..kit.filters import BOOLEAN, MANY, OPERATORS, Filters
from ..kit.reply import Answer, deleted
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View
from .view_columns import columns, entity_of, info, listed

routes = Routes()
FLAG = "view_configurations"

VIEW = View(
    "view_configuration",
    "id entity name user_id is_system_default configuration created_at updated_at",
    limit=20,
    label="View configuration",
)


class Sorting(Part):
    id: str
    desc: bool


class ChangedColumns(Part):
    visible_columns: list[str] = ABSENT
    column_order: list[str] = ABSENT
    column_widths: dict[str, Number] = ABSENT
    filters: dict[str, Any] = ABSENT
    sorting: Sorting | None = None
    search: str = ABSENT


class ShownColumns(ChangedColumns):
    visible_columns: list[str]
    column_order: list[str]


class CreateView(Body):
    name: str = ABSENT
    is_system_default: bool = False
    set_active: bool = False
    configuration: ShownColumns


class UpdateView(Body):
    name: str = ABSENT
    is_system_default: bool = ABSENT
    set_active: bool = False
    configuration: ChangedColumns = ABSENT


class ChooseView(Body):
    view_configuration_id: str | None


# -- what there is to choose from


@routes.get("/admin/views/entities", query=None, envelope="entities", flag=FLAG)
async def list_entities(request: Request) -> Answer:
    """List the things that there are lists of."""
    catalogue = request.graph.catalogue
    labels = await request.modules.settings.list("property_label", {}, fields=("entity",))
    labelled = {label["entity"] for label in labels}
    return {"entities": [info(catalogue, name, entity, labelled=name in labelled) for name, entity in sorted(listed(catalogue).items())]}


@routes.get("/admin/views/{entity}/columns", query=Filters(), envelope="columns", flag=FLAG)
async def list_columns(request: Request) -> Answer:
    """List the columns that a list of these things may have."""
    catalogue, named = request.graph.catalogue, request.params["entity"]
    entity = entity_of(catalogue, named)
    if entity is None:
        raise InvalidData(f"Unsupported entity: {named}")
    called = next(name for name, each in listed(catalogue).items() if each == entity)
    labels = await request.modules.settings.list("property_label", {"entity": called})
    return {"columns": columns(catalogue, entity, {label["property"]: label for label in labels})}


# -- what was chosen


@routes.get(
    "/admin/views/{entity}/configurations",
    returns=VIEW,
    query=Filters(
        id=MANY, entity=MANY, name=MANY, user_id=MANY, is_system_default=BOOLEAN, logical=True, created_at=OPERATORS, updated_at=OPERATORS
    ),
    many=True,
    flag=FLAG,
)
async def list_views(request: Request) -> Answer:
    """List the views of a list that the user may choose from: their own, and the default of all users."""
    seen: Row = {"entity": request.params["entity"], "$or": [{"user_id": request.actor_id}, {"is_system_default": True}]}
    return await request.fetch_list(VIEW, {"$and": [request.filters, seen]})


@routes.post("/admin/views/{entity}/configurations", returns=VIEW, body=CreateView, flag=FLAG)
async def create_view(request: Request) -> Answer:
    """Keep a view of a list, for the user or for all users."""
    row, active = dict(request.body), request.body["set_active"]
    del row["set_active"]
    if not row["is_system_default"] and not row.get("name"):
        raise InvalidData("Name is required unless creating a system default view")
    row["entity"] = request.params["entity"]
    id = await request.run(create_view_configuration, row=row, user_id=request.actor_id, set_active=active)
    return await request.fetch(VIEW, id)


@routes.get(
    "/admin/views/{entity}/configurations/active", returns=VIEW, envelope="view_configuration is_default_active default_type", flag=FLAG
)
async def get_active(request: Request) -> Answer:
    """Get the view of a list that the user sees."""
    view = await request.modules.settings.view(request.params["entity"], request.actor_id)
    if view is None:
        return {"view_configuration": None, "is_default_active": True, "default_type": "code"}
    default = view["is_system_default"]
    return dumps({"view_configuration": view, "is_default_active": default, **({"default_type": "system"} if default else {})})


@routes.post("/admin/views/{entity}/configurations/active", body=ChooseView, query=None, envelope="success", flag=FLAG)
async def set_active(request: Request) -> Answer:
    """Choose the view of a list that the user sees."""
    id = request.body["view_configuration_id"]
    await request.run(choose_view_configuration, entity=request.params["entity"], user_id=request.actor_id, id=id)
    return {"success": True}


@routes.get("/admin/views/{entity}/configurations/{id}", returns=VIEW, flag=FLAG)
async def get_view(request: Request) -> Answer:
    """Get a view of a list."""
    return await request.fetch(VIEW, request.params["id"], filters={"user_id": [request.actor_id, None]})


@routes.post("/admin/views/{entity}/configurations/{id}", returns=VIEW, body=UpdateView, flag=FLAG)
async def update_view(request: Request) -> Answer:
    """Change a view of a list."""
    changes, active = dict(request.body), request.body["set_active"]
    del changes["set_active"]
    id = await request.run(update_view_configuration, id=request.params["id"], changes=changes, user_id=request.actor_id, set_active=active)
    return await request.fetch(VIEW, id)


@routes.delete("/admin/views/{entity}/configurations/{id}", query=None, flag=FLAG)
async def delete_view(request: Request) -> Answer:
    """Delete a view of a list."""
    await request.run(delete_view_configuration, id=request.params["id"], user_id=request.actor_id)
    return deleted(request.params["id"], "view_configuration")
