"""One shop on three nodes: placed by labels, and changed while it sells. scripts/test-nodes runs it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from ..e2e.spread import Colony, write_topology


async def test_pools_are_where_their_labels_say_and_apart(colony: Colony) -> None:
    there = await colony.status()
    places = {pool: {replica["node"] for replica in replicas} for pool, replicas in there.items()}
    address = {name: node.address for name, node in colony.nodes.nodes.items()}
    assert places["doors"] == {address["head"], address["right"]}
    assert len(places["engine"]) == len(places["modules"]) == 2, "two replicas of a pool are on two nodes"
    for node in ("head", "right"):
        assert (await (await colony.admin(node)).get("/admin/stores"))["stores"], "both doors lead to the same shop"


@pytest.mark.timeout(200)
async def test_a_supervisor_that_was_replaced_ends_and_the_next_one_has_a_later_epoch(colony: Colony) -> None:
    """A replica is told something by a later one, as when the earlier one was only cut off."""
    script, replica = Path(__file__).with_name("later_epoch.py"), "modules-0"
    before = await colony.report()
    replicas = {replica["pid"] for pool in before["pools"] for replica in pool["replicas"]}
    later = json.loads((await colony.script(script, replica, "5")).splitlines()[-1])
    end = time.monotonic() + 60
    while (now := await colony.velella("status", "--json", ok=None))[0] != "{" or json.loads(now)["supervisor"] == before["supervisor"]:
        assert time.monotonic() < end, now
        await asyncio.sleep(0.5)
    await colony.settles()
    assert {replica["pid"] for replica in await colony.replicas()} == replicas, "those go on"
    assert json.loads((await colony.script(script, replica, "0")).splitlines()[-1]) > later
    crowd = await colony.crowd("right")
    async with crowd.shopping():
        await asyncio.sleep(1.0)
    await crowd.check_books()


async def test_the_file_and_commands_change_pools_while_they_sell(colony: Colony) -> None:
    """A replica more by the file, one less and a new process for each old one by commands: no request fails, no order is lost."""
    file = colony.data_dir.parent / "cluster.yaml"
    crowd = await colony.crowd("head", "right")
    async with crowd.shopping():
        write_topology(file, modules=3)
        assert "modules: 2 → 3 replicas" in await colony.velella("up", str(file))
        await colony.velella("scale", "modules=2")
        before = await colony.status()
        await colony.velella("roll", "modules", "doors")
    after = await colony.status()
    for pool in ("modules", "doors"):
        assert {replica["pid"] for replica in after[pool]}.isdisjoint(replica["pid"] for replica in before[pool])
    assert crowd.failures == []
    await crowd.check_books()
