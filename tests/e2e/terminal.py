"""A program in a pseudo-terminal, as a person sees it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pyte

COLUMNS, LINES = 100, 40
CTRL_C = b"\x03"


class Terminal:
    """Keeps every byte that the program writes."""

    def __init__(self, process: subprocess.Popen[bytes], keyboard: int) -> None:
        self.process = process
        self.output = bytearray()
        self._keyboard = keyboard
        self._wrote = asyncio.Event()
        asyncio.get_running_loop().add_reader(keyboard, self._read)

    def _read(self) -> None:
        try:
            piece = os.read(self._keyboard, 65536)
        except OSError:  # its last process has closed the terminal
            piece = b""
        if not piece:
            asyncio.get_running_loop().remove_reader(self._keyboard)
        self.output += piece
        self._wrote.set()

    async def until(self, text: str, seconds: float = 180) -> None:
        """Wait until the program has written this."""
        async with asyncio.timeout(seconds):
            while text.encode() not in self.output:
                assert self.process.poll() is None, self.output.decode()
                self._wrote.clear()
                await self._wrote.wait()

    def press(self, key: bytes) -> None:
        os.write(self._keyboard, key)

    async def ended(self) -> int:
        """Wait until the program has ended: its exit code."""
        code = await asyncio.to_thread(self.process.wait, 180)
        while True:  # what it wrote last
            before = len(self.output)
            await asyncio.sleep(0.05)
            if len(self.output) == before:
                return code

    def screen(self) -> list[str]:
        """What stands on the terminal in the end, with what has scrolled out of sight, without empty lines."""
        return [line.rstrip() for line in screen_of(bytes(self.output)).display if line.strip()]


def screen_of(output: bytes) -> pyte.Screen:
    screen = pyte.Screen(COLUMNS, 500)
    pyte.ByteStream(screen).feed(output)
    return screen


@asynccontextmanager
async def terminal(words: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """Run a program in a terminal of its own; it is killed if it still runs in the end."""
    keyboard, screen = pty.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))

    def take_it() -> None:  # so that Ctrl-C goes to the program, also where these tests run in the background, which ignores it
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    process = subprocess.Popen(  # noqa: ASYNC220 - asyncio's own has no terminal to give
        words, stdin=screen, stdout=screen, stderr=screen, cwd=folder, env=environment, start_new_session=True, preexec_fn=take_it
    )  # fmt: skip
    os.close(screen)
    shown = Terminal(process, keyboard)
    try:
        yield shown
    finally:
        if process.poll() is None:
            process.kill()
            await asyncio.to_thread(process.wait)
        asyncio.get_running_loop().remove_reader(keyboard)
        os.close(keyboard)
