"""The settings module's messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from ...core.errors import Duplicate, InvalidData, NotFound
from ...core.ids import new_id
from ...core.message import reads, writes
from ...core.rows import Given, Row
from ...core.service.module import ModuleService
from . import queries
from .tables import SCHEMA

Scope = Literal["personal", "default"]


class Layouts(TypedDict):
    """The layouts of one zone for one user."""

    personal_configuration: Row | None
    default_configuration: Row | None
    active_scope: Scope
    """The one that the user sees."""


class SettingsService(ModuleService):
    """Layouts of the dashboard's pages, views of its lists, users' preferences, and names of properties."""

    name = "settings"
    schema = SCHEMA

    @reads
    async def layouts(self, zone: str, user_id: str) -> Layouts:
        """A zone as this user sees it. Without a choice, a user with a layout of their own sees that."""
        filters = {"zone": zone, "user_id": [user_id, None]}
        found = {row["user_id"]: row for row in await self.list("layout_configuration", filters)}
        chosen = await self.list("user_preference", {"user_id": user_id, "key": _scope_of(zone)}, fields=("value",))
        personal = found.get(user_id)
        scope: Scope = chosen[0]["value"] if chosen else "personal" if personal else "default"
        return {"personal_configuration": personal, "default_configuration": found.get(None), "active_scope": scope}

    @writes
    async def set_layout(self, zone: str, user_id: str, configuration: Mapping[str, Any], *, default: bool = False) -> Layouts:
        """Set the layout of a zone, for this user or for all users; this user sees it from now on."""
        whose = None if default else user_id
        given = {"id": new_id("lyconf"), "zone": zone, "user_id": whose, "configuration": configuration}
        await self.database.execute(queries.SET_LAYOUT, given)
        return await self._seen(zone, user_id, "default" if default else "personal")

    @writes
    async def clear_layout(self, zone: str, user_id: str) -> Layouts:
        """Delete a user's own layout of a zone: they see the default. May be repeated."""
        await self.database.execute(queries.CLEAR_LAYOUT, {"zone": zone, "user_id": user_id})
        return await self._seen(zone, user_id, "default")

    # -- views of lists

    @reads
    async def view(self, entity: str, user_id: str) -> Row | None:
        """The view of an entity's list that this user sees: the one chosen, else the first of their own, else the default of all users.

        None: there is none, or the user has chosen to see none of their own, and there is no default.
        """
        chosen = await self.list("user_preference", {"user_id": user_id, "key": _view_of(entity)}, fields=("value",))
        id = chosen[0]["value"].get("viewConfigurationId") if chosen else None
        mine = {"$or": [{"user_id": user_id}, {"is_system_default": True}]}
        found: list[Row] = await self.list("view_configuration", {"entity": entity, **mine}, order=("created_at", "id"))
        default = next((row for row in found if row["is_system_default"]), None)
        if id is None and chosen:
            return default
        return next((row for row in found if row["id"] == id), None) or next((row for row in found if row["user_id"] == user_id), default)

    @writes
    async def choose_view(self, entity: str, user_id: str, id: str | None) -> None:
        """Choose the view of an entity's list that this user sees; None: the default of all users.

        Raises NotFound, for another user's as well; InvalidData for a view of another list.
        """
        if id is not None:
            view = await self._view_of(id, user_id)
            if view["entity"] != entity:
                raise InvalidData(f"View configuration {id} is not for entity {entity}")
        await self._prefer(user_id, _view_of(entity), {"viewConfigurationId": id})

    @writes
    async def create_view(self, row: Given, user_id: str, active: bool) -> str:
        """Keep a view (`entity`, `name`, `is_system_default`, `configuration`) for this user, or for all. Returns its id.

        `active`: a user sees their own from now on. Raises Duplicate for a second default of an entity.
        """
        view = {"id": new_id("vconf"), **row, "user_id": None if row.get("is_system_default") else user_id}
        try:
            await self.create("view_configuration", [view])
        except InvalidData as error:
            raise _second_default(view) if view["user_id"] is None else error from error
        if active and view["user_id"] is not None:
            await self._prefer(user_id, _view_of(view["entity"]), {"viewConfigurationId": view["id"]})
        return str(view["id"])

    @writes
    async def update_view(self, id: str, changes: Given, user_id: str, active: bool) -> None:
        """Change a view. Its `configuration` is replaced as a whole; `is_system_default` makes it all users', or this user's.

        Raises NotFound, for another user's as well; Duplicate for a second default of an entity.
        """
        view = await self._view_of(id, user_id)
        row = {**changes, "id": id}
        if "configuration" in row:
            row["configuration"] = {**_NOTHING_CHOSEN, **row["configuration"]}
        if "is_system_default" in changes:
            row["user_id"] = None if changes["is_system_default"] else user_id
        try:
            await self.update("view_configuration", [row])
        except InvalidData as error:
            raise _second_default(view) if row.get("is_system_default") else error from error
        if active and row.get("user_id", view["user_id"]) is not None:
            await self._prefer(user_id, _view_of(view["entity"]), {"viewConfigurationId": id})

    @writes
    async def delete_view(self, id: str, user_id: str) -> None:
        """Delete a view: those who had chosen it see what they would see without a choice. Raises NotFound, for another user's as well."""
        await self._view_of(id, user_id)
        await self.delete("view_configuration", [id])

    async def _view_of(self, id: str, user_id: str) -> Row:
        seen: list[Row] = await self.list("view_configuration", {"id": id, "user_id": [user_id, None]}, limit=1)
        if not seen:
            raise NotFound(f"View configuration with id: {id} was not found")
        return seen[0]

    # -- inside

    async def _prefer(self, user_id: str, key: str, value: Any) -> None:
        await self.database.execute(queries.PREFER, {"id": new_id("usrpref"), "user_id": user_id, "key": key, "value": value})
        self.touch("user_preference")

    async def _seen(self, zone: str, user_id: str, scope: Scope) -> Layouts:
        await self._prefer(user_id, _scope_of(zone), scope)
        self.touch("layout_configuration")
        return await self.layouts(zone, user_id)


_NOTHING_CHOSEN: Row = {"visible_columns": [], "column_order": [], "column_widths": {}, "filters": {}, "sorting": None, "search": ""}


def _view_of(entity: str) -> str:
    return f"active_view.{entity}"


def _second_default(view: Given) -> Duplicate:
    return Duplicate(f"A system default view configuration already exists for entity: {view['entity']}")


def _scope_of(zone: str) -> str:
    return f"layout.{zone}.scope"
