"""Which node a replica goes to."""

from __future__ import annotations

from typing import Any

from velella.actors.cluster.members import Member, move, node_for, one_too_many
from velella.actors.membership.directory import ReplicaAddress, ReplicaId
from velella.actors.membership.states import ReplicaState
from velella.actors.topology import Pool


def node(name: str, cpus: float = 4, *, alive: bool = True, **labels: str) -> dict[str, Any]:
    return {"NodeID": name, "Alive": alive, "Resources": {"CPU": cpus} if cpus else {}, "Labels": labels}


def there(pool: str, *nodes: str) -> list[Member]:
    return [
        Member(ReplicaId(pool, n), Pool(pool, ()), None, ReplicaAddress(ReplicaId(pool, n)), placed_on=node) for n, node in enumerate(nodes)
    ]


def test_replicas_of_a_pool_are_kept_apart_and_nodes_filled_evenly() -> None:
    nodes = [node("a"), node("b"), node("c")]
    pool = Pool("cart", ("cart",), 2)
    assert node_for(pool, there("cart", "a") + there("order", "b"), nodes) == "c"
    assert node_for(pool, there("cart", "a", "c"), nodes) == "b"
    assert node_for(pool, there("order", "a", "b"), nodes) == "c"


def test_labels_and_resources_say_where_and_managing_nodes_are_left_alone() -> None:
    nodes = [node("head", 0, zone="a"), node("a", zone="a"), node("b", zone="b"), node("dead", alive=False, zone="c")]
    assert node_for(Pool("p", (), labels={"zone": "a"}), there("q", "a", "a"), nodes) == "a"
    assert node_for(Pool("p", (), labels={"zone": "a"}), [], nodes[:1]) == "head", "where nobody else can have it"
    assert node_for(Pool("p", (), labels={"zone": "c"}), [], nodes) is None, "left to Ray, which waits for such a node"
    assert node_for(Pool("p", (), resources={"CPU": 8}), [], nodes) is None
    assert node_for(Pool("p", (), labels={"zone": "in(a,b)"}), [], nodes) is None, "a rule of Ray's, for Ray"
    holding = [Member(ReplicaId("q", 0), Pool("q", (), resources={"CPU": 3}), None, ReplicaAddress(ReplicaId("q", 0)), placed_on="a")]
    assert node_for(Pool("p", (), resources={"CPU": 2}), holding, [node("a"), node("b", 2)]) == "b", "what others of ours hold is taken"


def running(pool: str, *nodes: str) -> list[Member]:
    members = there(pool, *nodes)
    for member in members:
        member.state = ReplicaState.READY
    return members


def test_replicas_of_a_pool_that_are_together_are_taken_apart_when_there_is_a_node_for_it() -> None:
    nodes, pool = [node("a"), node("b")], Pool("cart", ("cart",), 2)
    together = running("cart", "a", "a")
    assert move(pool, together, nodes) == (together[1], "b")
    assert move(pool, together, nodes[:1]) is None
    assert move(pool, running("cart", "a", "b"), nodes) is None
    assert move(pool, running("cart", "a", "a", "b"), nodes) is None, "it would only be the other way round"
    assert move(Pool("cart", ("cart",), 2, labels={"zone": "x"}), together, nodes) is None
    together[0].state = ReplicaState.RESTARTING
    assert move(pool, together, nodes) is None, "who knows where that one will be"


def test_of_too_many_one_that_does_not_run_goes_first_then_one_of_the_fullest_node() -> None:
    members = running("cart", "a", "b", "b")
    assert one_too_many(members, members) is members[2]
    assert one_too_many(members[:2], [*members[:2], *running("order", "a")]) is members[0]
    members[0].state = ReplicaState.HUNG
    assert one_too_many(members, members) is members[0]


def test_an_empty_node_is_filled_until_no_move_makes_it_more_even() -> None:
    nodes = [node("a"), node("b"), node("c")]
    pools = [Pool(name, (name,), 2) for name in ("cart", "order", "tax")]
    members = [member for pool in pools for member in running(pool.name, "a", "b")]
    moves = 0
    while found := next(filter(None, (move(pool, members, nodes) for pool in pools)), None):
        moved, to = found
        moved.placed_on = to
        moves += 1
        assert moves < 10, "they go round"
    assert sorted(sum(member.placed_on == one["NodeID"] for member in members) for one in nodes) == [2, 2, 2]
    assert all(len({member.placed_on for member in members if member.id.pool == pool.name}) == 2 for pool in pools)
