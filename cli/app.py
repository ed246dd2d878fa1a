"""All commands, and how their errors are shown."""

from __future__ import annotations

import errno
import signal
import sys
from typing import NoReturn

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


OF_THE_MACHINE = frozenset((
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR,
))  # fmt: skip
"""Errors of files that say by themselves what an operator has to do."""


def _end(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


def run() -> None:
    """Run the command that the command line names. An operator's mistake is one line and a hint, exit code 1.

    SIGTERM ends a command as Ctrl-C does: it clears away what it has begun.
    """
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        app()
    except OSError as error:
        if error.errno not in OF_THE_MACHINE:
            raise
        where = f": {error.filename}" if error.filename is not None else ""
        console.print(f"[red]✗[/red] {escape(f'{error.strerror}{where}')}")
        sys.exit(1)
    except VelellaError as error:
        for line in error.message.splitlines():
            console.print(f"[red]✗[/red] {escape(line)}")
        if error.hint:
            console.print(f"  [dim]{escape(instance.as_it_stands(error.hint))}[/dim]")
        if not isinstance(error, Misconfigured):
            console.print(f"  [dim]({type(error).__name__})[/dim]")
        sys.exit(1)
