"""The settings module's messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from ...core.ids import new_id
from ...core.message import reads, writes
from ...core.rows import Row
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
    """Layouts of the dashboard's pages, users' preferences, and names of properties."""

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

    async def _seen(self, zone: str, user_id: str, scope: Scope) -> Layouts:
        given = {"id": new_id("usrpref"), "user_id": user_id, "key": _scope_of(zone), "value": scope}
        await self.database.execute(queries.PREFER, given)
        self.touch("layout_configuration", "user_preference")
        return await self.layouts(zone, user_id)


def _scope_of(zone: str) -> str:
    return f"layout.{zone}.scope"
