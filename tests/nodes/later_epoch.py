"""Send a replica the directory as a supervisor BY epochs later would: `python later_epoch.py CLUSTER REPLICA BY`. Prints the epoch."""

from __future__ import annotations

import sys

import ray

from velella.actors.cluster.ray_runtime import NAMESPACE
from velella.actors.cluster.replica import named_actors
from velella.actors.membership.directory import Directory, ReplicaAddress
from velella.actors.membership.epochs import epoch_of, first_version


def main(cluster: str, replica: str, by: str) -> None:
    ray.init(address=cluster, namespace=NAMESPACE, log_to_driver=False, logging_level="error")
    actors = {str(id): actor for id, actor in named_actors().items()}
    epoch = epoch_of(ray.get(actors[replica].health.remote(0, 0))["directory"]) + int(by)
    if int(by):
        reports = ray.get([actor.health.remote(0, 0) for actor in actors.values()])
        directory = Directory.of(((ReplicaAddress.from_wire(one["address"]), one["services"]) for one in reports), first_version(epoch))
        ray.get(actors[replica].update.remote(directory.to_wire()))
    print(epoch)


if __name__ == "__main__":
    main(*sys.argv[1:])
