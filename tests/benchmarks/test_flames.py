"""Stacks are told by layer, waiting is no work, and the picture of them is small and whole."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flame_svg import drawn
from flames import looked_at, options_of, table_of
from stacks import LAYERS, Frame, Stacks, functions, shares, stacks_of

LOOP = "start (/lib/libc.so.6);Replica._run (/srv/.dev/velella/actors/cluster/replica.py:9);run_forever (/project/uvloop/loop.c:1)"
HANDLER = (
    "RequestHandler._handle_request (/v/lib/python3.11/site-packages/aiohttp/web_protocol.py:5);cart (/srv/velella/http/store/carts.py:3)"
)
LINES = [
    f"{LOOP};{HANDLER} 3",
    f"{LOOP};{HANDLER};loads (/v/lib/python3.11/site-packages/orjson/orjson.so);memcpy (/lib/x86_64-linux-gnu/libc.so.6) 2",
    f"{LOOP};{HANDLER};run (/v/site-packages/velella/workflows/cart/lines.py:1);_PyEval (/usr/lib/libpython3.11.so.1.0) 4",
    f"{LOOP};data_received (/project/asyncpg/protocol/protocol.c:7);parse (/project/asyncpg/protocol/protocol.c:9) 5",
    f"{LOOP};{HANDLER};UVStream_write (/project/uvloop/loop.c:8);write (/lib/libc.so.6) 6",
    f"{LOOP};uv__io_poll (/project/build/libuv-x86_64/src/unix/linux.c:1);epoll_pwait (/lib/libc.so.6) 500",
    f"{LOOP};{HANDLER};0x7f (/lib/libc.so.6);pthread_cond_timedwait (/lib/libc.so.6);take_gil (/usr/lib/libpython3.11.so.1.0) 70",
    "Thread.run (/usr/lib/python3.11/threading.py:1);digest (/srv/velella/modules/auth/service.py:4) 1",
]


@pytest.fixture
def stacks() -> Stacks:
    return stacks_of(LINES)


def test_samples_are_told_by_layer_and_waiting_ones_left_out(stacks: Stacks) -> None:
    counted = {layer: round(share * 21) for layer, share in shares(stacks).items() if share}
    assert counted == {"http": 3, "workflows": 4, "modules": 1, "asyncpg": 5, "orjson": 2, "system calls": 6}
    assert sum(shares(stacks).values()) == pytest.approx(1)


def test_compiled_frames_are_one_a_library_and_the_loop_is_left_out(stacks: Stacks) -> None:
    assert stacks[(Frame("asyncpg (compiled)", "asyncpg"),)] == 5
    assert all(frames[0].layer != "asyncio, uvloop" for frames in stacks)


def test_functions_know_what_is_inside_them(stacks: Stacks) -> None:
    found = {frame.where: (round(within * 21), round(itself * 21)) for frame, within, itself in functions(stacks)}
    assert found == {"http/store/carts.py": (15, 11), "workflows/cart/lines.py": (4, 4), "modules/auth/service.py": (1, 1)}


def test_the_picture_shows_every_function_as_wide_as_its_share(stacks: Stacks) -> None:
    stacks[(Frame("narrow", "core"),)] += 0
    root = ElementTree.fromstring(drawn(stacks, "a <cart>"))
    bars = {group[0].text: float(group[1].get("width", 0)) for group in root if group.tag.endswith("}g")}
    assert bars["cart (http/store/carts.py): 71.4 %"] == pytest.approx(1200 * 15 / 21, abs=1)
    assert not any("narrow" in str(tip) for tip in bars)


def test_the_table_puts_earlier_shares_beside(stacks: Stacks) -> None:
    now = {"cart": {"cpu_ms": 2.0, "shares": shares(stacks)}}
    before = {"cart": {"cpu_ms": 4.0, "shares": dict.fromkeys(LAYERS, 0.5)}}
    lines = table_of(now, before, "flames").splitlines()
    assert lines[0] == "| | [cart](flames/cart.svg) |"
    assert "| CPU ms an operation | 2.00 (4.00) |" in lines
    assert "| asyncpg | 23.8 (50.0) |" in lines


def may_look_at_others() -> bool:
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    return sys.platform == "linux" and (os.geteuid() == 0 or not scope.exists() or scope.read_text().strip() == "0")


@pytest.mark.skipif(not may_look_at_others(), reason="this user may not look at other processes")
async def test_a_busy_process_is_seen(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import textwrap\nwhile True: textwrap.wrap('one two ' * 40)")
    try:
        seen = await looked_at(process.pid, tmp_path / "busy.raw", options_of(["--seconds", "1", "--folder", str(tmp_path)]))
    finally:
        process.kill()
        await process.wait()
    assert shares(seen)["standard library"] > 0.3
