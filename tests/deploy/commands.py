"""Checks that a command line in a file is valid for this project."""

from __future__ import annotations

from collections.abc import Sequence

import typer.main

from velella.cli.app import app
from velella.core.settings import Settings


def check_velella(words: Sequence[str]) -> None:
    """`velella WORDS…`: raises click's UsageError for an unknown command or option. Nothing is run."""
    root = typer.main.get_command(app)
    context = root.make_context("velella", list(words), resilient_parsing=True)
    context.resilient_parsing = False
    command, rest = root, list(words)
    while hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(context, rest)
    command.make_context(name, rest, parent=context)


def setting_of(variable: str) -> str:
    """The setting that an environment variable sets."""
    assert variable.startswith("VELELLA_"), variable
    name = variable.removeprefix("VELELLA_").lower().split("__")[0]
    assert name in Settings.model_fields, f"{variable} sets nothing"
    return name
