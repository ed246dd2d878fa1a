"""`velella jobs`: what a shop does by the clock."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.table import Table

from .data import DatabaseUrl, DataDir
from .operate import with_coordinator
from .output import console


def register(app: typer.Typer) -> None:
    jobs = typer.Typer(help="What the shop does by the clock.", no_args_is_help=True)
    app.add_typer(jobs, name="jobs")

    @jobs.command("list", epilog="Example:  velella jobs list")
    def list_(data_dir: Path | None = DataDir, database_url: str | None = DatabaseUrl) -> None:
        """List the jobs: when they come, when next, and how they ended last."""
        rows = with_coordinator(data_dir, database_url, lambda host: host.workflows.jobs())
        table = Table("job", "schedule", "time zone", "missed", "next (UTC)", "last began (UTC)", "ended as", "error")
        for row in rows:
            last = (row["started_at"] or "").partition(".")[0].replace("T", " ")
            following = row["next"].partition(".")[0].replace("T", " ")
            shown = (row["name"], row["cron"], row["time_zone"], row["missed"], following, last, row["state"] or "", row["error"] or "")
            table.add_row(*shown)
        console.print(table if rows else "This shop has no jobs: @job in a plugin makes one.")

    @jobs.command(epilog="Example:  velella jobs run remind-of-carts")
    def run(name: str, data_dir: Path | None = DataDir, database_url: str | None = DatabaseUrl) -> None:
        """Begin a job now, whatever its schedule. A running Velella carries it out."""
        id = with_coordinator(data_dir, database_url, lambda host: host.workflows.begin_job(name))
        console.print(f"Begun as {id}.")
        console.print(f"`velella workflows show {id}` looks at it.", style="dim")
