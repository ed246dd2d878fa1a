"""Connections whose other end may vanish without a word: its machine is gone, or the way to it."""

from __future__ import annotations

import asyncio
import socket
import sys

_IDLE, _INTERVAL, _TIMES = 10, 5, 3
"""Seconds of silence before the other end is asked whether it is there, and between two such questions; and how many get no answer."""


def notice_death(transport: asyncio.BaseTransport) -> None:
    """Have the kernel close a connection whose other end has vanished, within about half a minute: who waits there gets an error."""
    connection = transport.get_extra_info("socket")
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        for option, value in (
            (socket.TCP_KEEPIDLE, _IDLE),
            (socket.TCP_KEEPINTVL, _INTERVAL),
            (socket.TCP_KEEPCNT, _TIMES),
            (socket.TCP_USER_TIMEOUT, 1000 * (_IDLE + _INTERVAL * _TIMES)),  # of what was sent and isn't confirmed
        ):
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
