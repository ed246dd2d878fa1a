"""The picture of a first start in docs: `python -m tests.e2e.picture docs/first-start.svg --folder /srv/shop`, recorded from a terminal."""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import shutil
import sys
from pathlib import Path

import aiohttp
import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

from .terminal import COLUMNS, CTRL_C, screen_of, terminal

TITLE = "velella serve"
WHILE_FILLED = "Demo shop: "
"""Whichever step is shown first: a quick machine skips some."""
PATHS = ("/health", "/store/products", "/admin/orders")


async def recorded(folder: Path) -> list[Text]:
    """What stands on the terminal while the shop is filled, and in the end; the shop is removed again."""
    words = (sys.executable, "-m", "velella.cli", "serve")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VELELLA_")} | {"TERM": "xterm-256color"}
    folder.mkdir()
    try:
        async with terminal(words, folder=folder, environment=environment) as shown:
            await shown.until(WHILE_FILLED)
            filling = lines_of(screen_of(bytes(shown.output)))
            await shown.until("topology")
            async with aiohttp.ClientSession() as session:
                for path in PATHS:
                    async with session.get(f"http://127.0.0.1:9000{path}"):
                        pass
            await shown.until(f"{PATHS[-1]} ")
            shown.press(CTRL_C)
            if await shown.ended():
                raise SystemExit("\n".join(shown.screen()))
        return [*filling[-1:], Text(), *lines_of(screen_of(bytes(shown.output)))]
    finally:
        shutil.rmtree(folder)


def lines_of(screen: pyte.Screen) -> list[Text]:
    """The lines of a screen with their colours, up to the last that isn't empty."""
    lines = []
    for number in range(screen.lines):
        line = Text()
        for column in range(screen.columns):
            cell = screen.buffer[number][column]
            colour = {"default": None, "brown": "yellow", "brightblack": "bright_black"}.get(cell.fg, cell.fg)
            if colour is not None and (colour.startswith("bright") and "_" not in colour):
                colour = f"bright_{colour.removeprefix('bright')}"
            if colour is not None and len(colour) == 6 and all(digit in "0123456789abcdef" for digit in colour):
                colour = f"#{colour}"
            line.append(cell.data, Style(color=colour, bold=cell.bold))
        line.rstrip()
        lines.append(line)
    while lines and not lines[-1].plain:
        lines.pop()
    while lines and not lines[0].plain:
        lines.pop(0)
    return lines


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("file", type=Path)
    options.add_argument("--folder", type=Path, required=True, help="Where the shop lies meanwhile: it stands in the picture.")
    given = options.parse_args()
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in asyncio.run(recorded(given.folder)):
        console.print(line, soft_wrap=True)
    given.file.write_text(console.export_svg(title=TITLE))


if __name__ == "__main__":
    main()
