"""Topologies: what each name means, what a file may say, and how a mistake is told."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from velella.actors.services import service_names
from velella.actors.topology import EMBEDDED, Topology
from velella.core.errors import Misconfigured
from velella.core.settings import Settings

ROOT = Path(__file__).parents[2]


def rows() -> list[dict[str, Any]]:
    """Pools that are as they should be."""
    document = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    pools: list[dict[str, Any]] = document["metadata"]["velella"]["pools"]
    return copy.deepcopy(pools)


def parse(pools: Any, **settings: Any) -> Topology:
    return Topology.parse({"metadata": {"velella": {"pools": pools}}}, Settings(**settings))


def test_packed_is_one_pool_with_everything() -> None:
    topology = Topology.of(Settings(topology="packed", processes=3, connections=5))
    (pool,) = topology.pools
    assert set(pool.services) == set(service_names(Settings()))
    assert topology.processes == 3
    assert topology.connections_by_database == {EMBEDDED: 15}


def test_pooled_gives_every_module_its_own_pool() -> None:
    topology = Topology.of(Settings(topology="pooled"))
    assert all(len(pool.services) == 1 for pool in topology.pools)
    assert set(topology.services) == set(service_names(Settings()))


def test_the_shipped_file_is_the_pooled_topology() -> None:
    shipped = Topology.of(Settings(topology=str(ROOT / "cluster.yaml")))
    pooled = Topology.of(Settings(topology="pooled"))
    assert {(pool.name, pool.services, pool.replicas) for pool in shipped.pools} == {
        (pool.name, pool.services, pool.replicas) for pool in pooled.pools
    }


def test_the_shipped_file_is_a_cluster_file_of_ray() -> None:
    import ray.autoscaler
    from ray.autoscaler._private.util import prepare_config, validate_config

    document = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    schema = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
    jsonschema.validate(document, schema)
    validate_config(prepare_config(document))


def test_a_module_of_the_application_is_part_of_every_topology() -> None:
    assert "blog" in Topology.of(Settings(topology="pooled", modules={"blog": "shop.blog:MODULE"})).services


def test_a_pool_may_say_all_this() -> None:
    pools = rows()
    pools[0] |= {
        "replicas": {"min": 2, "max": 6},
        "connections": 12,
        "resources": {"CPU": 0.5},
        "labels": {"zone": "a"},
        "database": "postgresql://shop:secret@db.internal:5433/catalogue",
    }
    topology = parse(pools, connections=4)
    pool = topology.pools[0]
    assert (pool.replicas, pool.at_most, pool.replicas_shown) == (2, 6, "2 to 6")
    assert pool.placement_shown == "CPU 0.5, zone=a"
    assert pool.connections_in_all == 72
    assert topology.settings.databases == {"product": pools[0]["database"]}
    assert topology.connections_by_database["db.internal:5433/catalogue"] == 72
    assert topology.connections_by_database[EMBEDDED] == 4 * (topology.processes - 2 - 3)  # all but product, caching and two doors


def test_a_database_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOGUE_URL", "postgresql://db/catalogue")
    pools = rows()
    pools[0]["database"] = "${CATALOGUE_URL}"
    assert parse(pools).pools[0].database == "postgresql://db/catalogue"


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        ({"services": ["prodct"]}, "unknown service prodct", "Did you mean product"),
        ({"services": ["product", "product"]}, "product is in pool product, twice", "one pool"),
        ({"services": ["product", "pricing"]}, "pricing is in pools product and pricing", "one pool"),
        ({"services": ["locking"]}, "locking is in pools product and locking", "one pool"),
        ({"services": []}, "no services", "services:"),
        ({"name": "pricing"}, "2 pools are called pricing", "apart"),
        ({"name": "Product Pool"}, "can't name a pool", "small letters"),
        ({"replica": 2}, "unknown key replica", "Did you mean replicas"),
        ({"replicas": 0}, "has 0 replicas", "from 1"),
        ({"replicas": True}, "has True replicas", "from 1"),
        ({"replicas": {"min": 3, "max": 2}}, "at least 3 replicas and at most 2", "smaller"),
        ({"replicas": {"min": 3}}, "replicas", "{min: 2, max: 6}"),
        ({"connections": 0}, "has 0 connections", "from 1"),
        ({"resources": {"CPU": "many"}}, "resources that are no amounts", "{CPU: 1}"),
        ({"labels": {"zone": 1}}, "labels that are no texts", "zone"),
        ({"database": "mysql://db/shop"}, "not PostgreSQL", "postgresql://"),
        ({"database": "${NOT_SET_ANYWHERE}"}, "environment doesn't have", "Set it"),
    ],
)
def test_a_mistake_is_told_with_a_hint(change: dict[str, Any], message: str, hint: str) -> None:
    pools = rows()
    pools[0] |= change
    with pytest.raises(Misconfigured, match=message) as caught:
        parse(pools)
    assert hint in (caught.value.hint or "")


def test_a_module_of_velellas_in_no_pool_lives_in_the_first_one_without_a_database_of_its_own() -> None:
    pools = [row for row in rows() if row["name"] not in ("analytics", "search")]
    assert parse(pools).pools[0].services == ("product", "analytics", "search")
    pools[0]["database"] = "postgresql://db/catalogue"
    topology = parse(pools)
    assert [pool.services for pool in topology.pools[:2]] == [("product",), ("pricing", "analytics", "search")]
    assert set(topology.services) == set(service_names(Settings()))


@pytest.mark.parametrize(("gone", "settings"), [("http", {}), ("locking", {}), ("blog", {"modules": {"blog": "shop.blog:MODULE"}})])
def test_any_other_service_in_no_pool_is_a_mistake(gone: str, settings: Any) -> None:
    with pytest.raises(Misconfigured, match=f"No pool has {gone}"):
        parse([row for row in rows() if row["name"] != gone], **settings)


@pytest.mark.parametrize(
    "document", [None, [], {"cluster_name": "x"}, {"metadata": {"velella": {}}}, {"metadata": {"velella": {"pools": {}}}}]
)
def test_a_file_without_pools_is_a_mistake(document: Any) -> None:
    with pytest.raises(Misconfigured, match="describes no pools"):
        Topology.parse(document, Settings())


def test_a_file_that_is_not_there_or_no_yaml_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="can't be read") as caught:
        Topology.of(Settings(topology="poold"))
    assert "packed, pooled" in (caught.value.hint or "")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    with pytest.raises(Misconfigured, match="is not YAML"):
        Topology.of(Settings(topology=str(broken)))
