"""The rows of a module's providers: each provider of the settings has one, so that other rows and links can name it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, text

from ..sql.db.compiled import compiled
from .module import ModuleService


async def keep_provider_rows(service: ModuleService, table: Table, rows: Sequence[Mapping[str, Any]] | None = None) -> None:
    """Keep one enabled row for each provider of the settings, and disable the rows of all others.

    `rows`: id and further columns of each, all with the same names; by default only the ids. Called when a service starts; any number of
    processes may do so at once. Rows are never removed: old payments and shipping options go on naming them.

    The processes that serve a shop decide which providers it has. An operator's command may have other settings: it only fills a table that
    is empty, of a shop that was never served.
    """
    name = table.name
    given = [{"id": id} for id in sorted(service.providers)] if rows is None else sorted(rows, key=lambda row: str(row["id"]))
    columns = ", ".join(given[0]) if given else "id"
    source = f"SELECT {columns}, true FROM jsonb_populate_recordset(CAST(NULL AS {name}), CAST(:rows AS jsonb)) ORDER BY id"
    fill = f"INSERT INTO {name} AS known ({columns}, is_enabled) {source}"

    async def body() -> None:
        execute = service.database.execute
        if service.context.visits:
            unserved = fill.replace(" ORDER BY id", f" WHERE NOT EXISTS (SELECT FROM {name}) ORDER BY id")
            changed = await execute(compiled(text(f"{unserved} ON CONFLICT DO NOTHING")), {"rows": given})
        else:
            values = ", ".join(f"{column} = EXCLUDED.{column}" for column in columns.split(", "))
            known, wanted = (", ".join(f"{of}.{column}" for column in columns.split(", ")) for of in ("known", "EXCLUDED"))
            changed = await execute(
                compiled(
                    text(f"""{fill}
                    ON CONFLICT (id) DO UPDATE SET {values}, is_enabled = true, deleted_at = NULL, updated_at = now()
                    WHERE ({known}, known.is_enabled, known.deleted_at) IS DISTINCT FROM ({wanted}, true, NULL)""")
                ),
                {"rows": given},
            )
            disable = f"UPDATE {name} SET is_enabled = false, updated_at = now() WHERE is_enabled AND NOT id = ANY(CAST(:ids AS text[]))"
            changed += await execute(compiled(text(disable)), {"ids": [row["id"] for row in given]})
        if changed:
            service.touch(name)

    await service.run_write(body)
