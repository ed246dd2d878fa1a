"""A host in a process of its own: `python toy_process.py '{"settings": …, "address": …, "directory": …, "services": […]}'`."""

from __future__ import annotations

import asyncio
import json
import sys

import uvloop

from velella.actors.host import Host
from velella.actors.membership.directory import Directory, ReplicaAddress
from velella.core.settings import Settings


async def main(plan: dict[str, object]) -> None:
    host = Host(
        Settings.model_validate(plan["settings"]),
        plan["services"],  # type: ignore[arg-type]
        address=ReplicaAddress.from_wire(plan["address"]),  # type: ignore[arg-type]
        directory=Directory.from_wire(plan["directory"]),  # type: ignore[arg-type]
        listen=plan["listen"],  # type: ignore[arg-type]
    )
    await host.start()
    print(json.dumps(host.address.to_wire()), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until whoever started us goes
    await host.stop(1.0)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
