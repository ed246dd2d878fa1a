"""The command line: `velella …`."""

from __future__ import annotations

import signal


def main() -> None:
    """Entry point. Ctrl-C while everything is imported ends the process without a word: nothing has begun yet."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .app import run

    signal.signal(signal.SIGINT, handler)
    run()
