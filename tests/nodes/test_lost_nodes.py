"""One shop on three nodes that lose their power, are cut off and lose their head while it sells. Some minutes: scripts/test-nodes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from ..e2e.spread import Colony

NOTICED_SECONDS = 6.0
"""Less than Ray takes to notice a lost node: its peers notice by themselves, mostly within 3 s."""


def stacks(process: psutil.Process) -> str:
    """What each of its threads is doing."""
    dumped = subprocess.run([Path(sys.executable).with_name("py-spy"), "dump", "--pid", str(process.pid)], capture_output=True, text=True)
    return f"{' '.join(process.cmdline())} ({process.status()})\n{dumped.stdout}{dumped.stderr}\n"


@pytest.mark.timeout(700)
async def test_a_node_that_dies_is_done_without_and_filled_again_when_it_is_back(colony: Colony) -> None:
    left = colony.nodes["left"]
    gone = {replica["pid"] for replica in await colony.replicas() if replica["node"] == left.address}
    assert gone
    crowd = await colony.crowd("head", "right")
    async with crowd.shopping():
        died = time.monotonic()
        await colony.nodes.lose("left")
        await crowd.goes_well_again()
        assert crowd.failed_for(died) < NOTICED_SECONDS
        await colony.settles(without=gone)
        crowd.failures.clear()
        await colony.nodes.bring_back("left")
        await colony.settles(on=("left",))
        await asyncio.sleep(1.0)
    assert crowd.failures == [], "nothing fails while replicas move"
    await crowd.check_books()


@pytest.mark.timeout(700)
async def test_a_node_that_is_cut_off_is_done_without_and_what_was_replaced_is_refused(colony: Colony) -> None:
    """It reaches the database all the while. When it is back its processes find out that others have their places, and end."""
    left = colony.nodes["left"]
    gone = {replica["pid"] for replica in await colony.replicas() if replica["node"] == left.address}
    assert gone
    zombies = [psutil.Process(pid) for pid in gone]
    crowd = await colony.crowd("head", "right")
    async with crowd.shopping():
        cut = time.monotonic()
        await colony.nodes.cut_off("left")
        await crowd.goes_well_again()
        assert crowd.failed_for(cut) < NOTICED_SECONDS
        await colony.settles(without=gone)
        await asyncio.sleep(max(0.0, cut + 20 - time.monotonic()))
        assert all(zombie.is_running() for zombie in zombies)
        crowd.failures.clear()
        await colony.nodes.let_back("left", zombies)
        back = time.monotonic()
        _, alive = await asyncio.to_thread(psutil.wait_procs, zombies, 30)
        assert not alive, "".join(map(stacks, alive))
        print(f"what was replaced ended {time.monotonic() - back:.1f} s after it was back")
        await colony.nodes.bring_back("left")
        await colony.settles(on=("left",))
    assert crowd.failures == []
    await crowd.check_books()


@pytest.mark.timeout(700)
async def test_without_the_head_running_pools_serve_on_and_the_next_supervisor_finds_them(colony: Colony) -> None:
    head = colony.nodes["head"]
    stay = {replica["pid"] for replica in await colony.replicas() if replica["node"] != head.address}
    crowd = await colony.crowd("right")
    async with crowd.shopping():
        died = time.monotonic()
        await colony.nodes.lose("head")
        await crowd.goes_well_again()
        assert crowd.failed_for(died) < NOTICED_SECONDS
        crowd.failures.clear()
        before = len(crowd.orders)
        await asyncio.sleep(10)
        assert len(crowd.orders) > before
        await colony.nodes.bring_back("head")
        await colony.settles(on=("head",))
        await asyncio.sleep(1.0)
    assert crowd.failures == []
    assert stay & {replica["pid"] for replica in await colony.replicas()}
    await crowd.check_books()
