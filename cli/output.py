"""The console of the commands: as wide as the terminal, and wide enough for every column where a script reads the output."""

from __future__ import annotations

import sys

from rich.console import Console

console = Console(highlight=False, width=None if sys.stdout.isatty() else 240)
