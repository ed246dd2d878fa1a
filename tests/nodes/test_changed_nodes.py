"""One shop on three nodes: placed by labels, and changed while it sells. scripts/test-nodes runs it."""

from __future__ import annotations

from ..e2e.spread import Colony, write_topology


async def test_pools_are_where_their_labels_say_and_apart(colony: Colony) -> None:
    there = await colony.status()
    places = {pool: {replica["node"] for replica in replicas} for pool, replicas in there.items()}
    address = {name: node.address for name, node in colony.nodes.nodes.items()}
    assert places["doors"] == {address["head"], address["right"]}
    assert len(places["engine"]) == len(places["modules"]) == 2, "two replicas of a pool are on two nodes"
    for node in ("head", "right"):
        assert (await (await colony.admin(node)).get("/admin/stores"))["stores"], "both doors lead to the same shop"


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
