"""The rows of a module's providers: a provider of the settings has one, so that other rows and links can name it."""

from __future__ import annotations

from sqlalchemy import Table, text

from ..module import ModuleService
from .compiled import compiled


async def keep_provider_rows(service: ModuleService, rows: Table) -> None:
    """Have one enabled row for each provider that is set up here, and disable those of providers that are gone.

    Called when a service starts; any number of processes may do so at once. Rows are never removed: old payments and
    shipping options go on naming them.
    """
    name = rows.name
    enable = compiled(
        text(f"""
        INSERT INTO {name} AS known (id, is_enabled) SELECT id, true FROM unnest(CAST(:ids AS text[])) AS given (id) ORDER BY id
        ON CONFLICT (id) DO UPDATE SET is_enabled = true, deleted_at = NULL, updated_at = now()
        WHERE NOT known.is_enabled OR known.deleted_at IS NOT NULL
    """)
    )
    disable = compiled(
        text(f"UPDATE {name} SET is_enabled = false, updated_at = now() WHERE is_enabled AND NOT id = ANY(CAST(:ids AS text[]))")
    )
    ids = {"ids": sorted(service.providers)}

    async def body() -> None:
        if await service.database.execute(enable, ids) + await service.database.execute(disable, ids):
            service.touch(name)

    await service.run_write(body)
