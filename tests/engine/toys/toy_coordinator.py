"""A coordinator in a process of its own, to be killed. `python toy_coordinator.py URL WORKFLOW JSON-INPUT`; prints the result."""

from __future__ import annotations

import asyncio
import json
import sys

from toy_stage import stage


async def main(url: str, workflow: str, input: str) -> None:
    async with stage(url, "toy") as here:
        print(json.dumps(await here.coordinator.run(workflow, json.loads(input))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
