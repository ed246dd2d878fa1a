"""How a merchant has the dashboard's lists shown."""

from __future__ import annotations

from ..ground import Api

COLUMNS = {"visible_columns": ["display_id", "email"], "column_order": ["email", "display_id"]}


async def run(api: Api) -> None:
    kind = api.fresh("orders")
    path = f"/views/{kind}/configurations"
    await api.admin("GET", f"{path}/active")
    await api.admin("GET", path)
    await api.admin("POST", path, {"configuration": COLUMNS})
    await api.admin("POST", path, {"name": "Mine"})
    await api.admin("POST", path, {"name": "Mine", "configuration": {"visible_columns": ["id"]}})
    await api.admin("POST", path, {"name": "Mine", "configuration": COLUMNS, "more": 1})
    full = {**COLUMNS, "column_widths": {"email": 120.5}, "filters": {"status": ["pending"]}, "search": "ada"}
    mine = (await api.admin("POST", path, {"name": "Mine", "configuration": {**full, "sorting": {"id": "email", "desc": True}}}))[
        "view_configuration"
    ]["id"]
    await api.admin("GET", f"{path}/active")
    other = (await api.admin("POST", path, {"name": "Other", "configuration": COLUMNS, "set_active": True}))["view_configuration"]["id"]
    await api.admin("GET", f"{path}/active")
    await api.admin("GET", f"{path}?order=name&fields=id,name")
    await api.admin("GET", f"{path}?name=Mine")
    await api.admin("GET", f"{path}/{mine}")
    await api.admin("GET", f"{path}/{mine}?fields=name")
    await api.admin("POST", f"{path}/{mine}", {"name": "Ours"})
    await api.admin("POST", f"{path}/{mine}", {"configuration": {"visible_columns": ["id"], "column_order": ["id"]}, "set_active": True})
    await api.admin("GET", f"{path}/active")
    await api.admin("POST", f"{path}/active", {"view_configuration_id": other})
    await api.admin("GET", f"{path}/active")
    await api.admin("POST", f"{path}/active", {"view_configuration_id": None})
    await api.admin("GET", f"{path}/active")
    default = {"is_system_default": True, "configuration": COLUMNS}
    everyone = (await api.admin("POST", path, default))["view_configuration"]["id"]
    await api.admin("POST", path, default)
    await api.admin("GET", f"{path}/active")
    await api.admin("GET", f"{path}?order=created_at&fields=name,is_system_default,user_id")
    await api.admin("POST", f"{path}/active", {"view_configuration_id": other})
    await api.admin("POST", f"/views/{api.fresh('products')}/configurations/active", {"view_configuration_id": other})
    await api.admin("POST", f"{path}/active", {"view_configuration_id": "vconf_nothing"})
    await api.admin("DELETE", f"{path}/{other}")
    await api.admin("GET", f"{path}/{other}")
    await api.admin("GET", f"{path}/active")
    await api.admin("DELETE", f"{path}/{everyone}")
    await api.admin("DELETE", f"{path}/vconf_nothing")
    await api.admin("POST", f"{path}/vconf_nothing", {"name": "x"})
    await api.admin("GET", f"{path}/active")
    await api.admin("GET", "/views/nothing-at-all/columns")
