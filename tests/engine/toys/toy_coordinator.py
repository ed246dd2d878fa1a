"""A coordinator in a process of its own, to be killed. `python toy_coordinator.py URL WORKFLOW JSON-INPUT`; prints the result."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import toy_ledger
from toy_stage import stage

from velella.actors.wakeups.redis import RedisWakeups


async def main(url: str, workflow: str, input: str) -> None:
    redis = os.environ.get("WAKEUPS")
    async with stage(url, "toy", visits="VISITS" in os.environ, wakeups=RedisWakeups(url=redis) if redis else None) as here:
        if redis:
            here.coordinator._wakeups._look = lambda executions, deliveries: toy_ledger.perhaps_die("woken" if executions else "")
        print(json.dumps(await here.coordinator.run(workflow, json.loads(input))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
