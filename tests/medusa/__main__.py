"""`python -m tests.medusa record BASE [SCENARIO …]` keeps what a Medusa server answers; `compare` prints how a server differs from it.

The server is for tests alone: its regions, tax regions and automatic promotions are deleted. It has the admin user
`admin@medusa-test.com` with the password `supersecret`, or the one given as `--login EMAIL:PASSWORD`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from .compare import differences
from .recorded import SCENARIOS, answers, play, record, unexplained


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.medusa", description=__doc__)
    parser.add_argument("command", choices=("record", "compare"))
    parser.add_argument("base", help="URL of the server")
    parser.add_argument("scenarios", nargs="*", help="all, when none is named")
    parser.add_argument("--login", default="admin@medusa-test.com:supersecret")
    given = parser.parse_args()
    email, _, password = given.login.partition(":")
    found = 0
    for scenario in given.scenarios or SCENARIOS:
        steps = await play(scenario, given.base.rstrip("/"), (email, password))
        if given.command == "record":
            record(scenario, steps)
            print(f"{scenario}: {len(steps)} steps")
            continue
        unknown, _ = unexplained(scenario, differences(answers(scenario), steps))
        print(f"{scenario}: {len(steps)} steps, {len({each.step for each in unknown})} differ", *unknown, sep="\n  ")
        found += len(unknown)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
