"""Which node a replica goes to."""

from __future__ import annotations

from typing import Any

from velella.actors.directory import Address, ReplicaId
from velella.actors.members import Member, node_for
from velella.actors.topology import Pool


def node(name: str, cpus: float = 4, *, alive: bool = True, **labels: str) -> dict[str, Any]:
    return {"NodeID": name, "Alive": alive, "Resources": {"CPU": cpus} if cpus else {}, "Labels": labels}


def there(pool: str, *nodes: str) -> list[Member]:
    return [Member(ReplicaId(pool, n), Pool(pool, ()), None, Address(ReplicaId(pool, n)), node=node) for n, node in enumerate(nodes)]


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
