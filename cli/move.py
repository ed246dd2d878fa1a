"""`velella move`: a module's tables to another database."""

from __future__ import annotations

from pathlib import Path

import typer

from ..core.errors import Misconfigured
from ..core.settings import Settings, without_password
from . import instance
from .data import DatabaseUrl, DataDir, readable_url, with_database
from .output import console


def register(app: typer.Typer) -> None:
    @app.command(epilog="Examples:  velella move order --to postgresql://shop@db2.internal/orders  ·  velella move order --drop")
    def move(
        module: str = typer.Argument(help="The module: order, product, link, …; engine for executions and events."),
        to: str | None = typer.Option(
            None, "--to", callback=readable_url, help="postgresql://… Where to move it; - asks, or reads a pipe."
        ),
        drop: bool = typer.Option(False, "--drop", help="Drop the tables that it left behind, once the settings name the new database."),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
    ) -> None:
        """Move a module's tables with their rows to another database, while the shop is stopped. The old ones stay until --drop."""
        from ..core.service import migrations, moving  # here: most commands don't need Alembic, which is slow to import

        if (to is None) != drop:
            raise Misconfigured("Say where the module goes by --to, or --drop what it left behind.", hint=f"velella move {module} --help")

        async def work(settings: Settings) -> None:
            found = migrations.load_module(module, settings)
            source = settings.database_of(module)
            if to is None:
                if source == settings.database_url:
                    raise Misconfigured(f"The settings still have {module} in the main database.", hint=_line(module, "postgresql://…"))
                if not await moving.has_arrived(found, source):
                    raise Misconfigured(f"{module} was never moved to {without_password(source)}.", hint="Move it there first.")
                await moving.drop(found, str(settings.database_url))
                console.print(f"The old tables of {module} are gone.")
                return
            if to == source:
                raise Misconfigured(f"The settings have {module} there already.", hint=f"`velella move {module} --drop`")
            await instance.must_answer(to)
            with console.status(f"Moving {module} …"):
                rows = await moving.move(found, source, to, lambda table, count: console.print(f"{table}: {count:,} rows", style="dim"))
            console.print(f"{sum(rows.values()):,} rows of {module} are in both databases now, and the same. From now on:")
            console.print(f"  {_line(module, without_password(to))}")
            console.print(f"Then start the shop. `velella move {module} --drop` drops the old tables.", style="dim")

        settings = instance.settings_of(data_dir=data_dir, database_url=database_url)
        instance.must_be_there(settings)
        with instance.held(settings):
            with_database(data_dir, database_url, work, current=False)


def _line(module: str, url: str) -> str:
    return f"VELELLA_DATABASES__{module.upper()}={url}"
