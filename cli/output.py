"""The console of the commands: as wide as the terminal, and wide enough for every column where a script reads the output."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from ..core import logs


class _Console(Console):
    """Lines of the log appear above what moves on the terminal (a bar, a spinner), instead of through it."""

    def set_live(self, live: Live) -> bool:
        if self.is_terminal and sys.stderr.isatty():
            logs.write_above(self._above)
        return super().set_live(live)

    def clear_live(self) -> None:
        super().clear_live()
        if not self._live_stack:
            logs.write_above(None)

    def _above(self, lines: bytes) -> None:
        self.print(Text.from_ansi(lines.decode(errors="replace")), soft_wrap=True)


console = _Console(highlight=False, width=None if sys.stdout.isatty() else 240)


def progress(*, remaining: bool = True) -> Progress:
    """Bars on the console, with how many of how many are done; they disappear when all is over. `remaining`: with the time that is left,
    where all of the work is one bar."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, *([TimeRemainingColumn()] if remaining else []), console=console, transient=True)
