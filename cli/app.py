"""All commands, and how their errors are shown."""

from __future__ import annotations

import sys

import typer
from rich.console import Console
from rich.markup import escape

from .. import __version__
from ..core.errors import Misconfigured, VelellaError
from . import (
    backup,
    colony,
    dashboard,
    data,
    develop,
    doctor,
    instance,
    jobs,
    move,
    new,
    opening,
    operate,
    script,
    serve,
    shell,
    top,
    transfer,
)

app = typer.Typer(
    name="velella",
    help="Velella: a commerce server whose modules are pools of actors.",
    epilog="Examples:  velella serve  ·  velella serve --topology pooled --port 9001  ·  velella status  ·  velella stop",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"velella {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version and exit."),
) -> None:
    pass


serve.register(app)
develop.register(app)
colony.register(app)
data.register(app)
opening.register(app)
backup.register(app)
operate.register(app)
script.register(app)
shell.register(app)
doctor.register(app)
jobs.register(app)
dashboard.register(app)
transfer.register(app)
new.register(app)
move.register(app)
top.register(app)


def run() -> None:
    """Run the command that the command line names. An operator's mistake is one line and a hint, exit code 1."""
    try:
        app()
    except VelellaError as error:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        for line in error.message.splitlines():
            console.print(f"[red]✗[/red] {escape(line)}")
        if error.hint:
            console.print(f"  [dim]{escape(instance.as_it_stands(error.hint))}[/dim]")
        if not isinstance(error, Misconfigured):
            console.print(f"  [dim]({type(error).__name__})[/dim]")
        sys.exit(1)
