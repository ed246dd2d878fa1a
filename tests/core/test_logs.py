"""Logs: a shop goes on whatever becomes of them."""

from __future__ import annotations

import os
import sys

import pytest

from velella.core import logs


@pytest.mark.parametrize("trouble", ["full", "unread"])
def test_a_line_that_is_not_taken_is_dropped(trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a disk that is full, or a pipe that nobody reads any more: what was done is done, and its client hears of it."""
    if trouble == "full":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        reading, descriptor = os.pipe()
        os.close(reading)
    with os.fdopen(descriptor, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        logs.write(b"a line\n")
        logs.request("POST", "/store/carts/cart_1/complete", 200, 12.0, 300)
        monkeypatch.undo()
