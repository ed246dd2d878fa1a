"""Topologies with fewer pools than `pooled` has: as many processes as a test needs, and one for the rest."""

from __future__ import annotations

from pathlib import Path

import yaml

from velella.actors.services import service_names
from velella.core.settings import Settings


def pools_file(folder: Path, pools: dict[str, list[str]], *, twice: tuple[str, ...] = ()) -> str:
    """Path of a file with these pools (name → services), and one called rest with all other services. `twice`: those of two replicas."""
    placed = {service for services in pools.values() for service in services}
    rest = [name for name in service_names(Settings()) if name not in placed]
    rows = [
        {"name": name, "services": services, "replicas": 2 if name in twice else 1} for name, services in {**pools, "rest": rest}.items()
    ]
    head = {"cluster_name": "few", "provider": {"type": "local", "head_ip": "127.0.0.1"}}
    path = folder / "pools.yaml"
    path.write_text(yaml.safe_dump({**head, "metadata": {"velella": {"pools": rows}}}))
    return str(path)
