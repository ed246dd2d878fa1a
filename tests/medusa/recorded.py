"""Scenarios, Medusa's recorded answers, and the reasons for our differences: files beside this one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import aiohttp

from .compare import Difference, Step
from .ground import LOGIN, Api

HERE = Path(__file__).parent
SCENARIOS = sorted(path.stem for path in (HERE / "scenarios").glob("[!_]*.py"))


class Reason(NamedTuple):
    """Why a scenario differs on purpose. A `*` in `step` or `path` matches anything."""

    scenario: str
    step: str
    path: str
    reason: str

    def covers(self, difference: Difference) -> bool:
        asked = ((self.step, difference.step), (self.path, difference.path))
        return all(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) for pattern, text in asked)


async def play(scenario: str, base: str, login: tuple[str, str] = LOGIN, *, alone: bool = True) -> list[Step]:
    """The scenario's steps against the server at `base`.

    `alone`: the server is there for this only, and its regions, tax regions and automatic promotions are deleted before.
    """
    module = import_module(f".scenarios.{scenario}", __package__)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        api = Api(session, base, login)
        await api.start(alone)
        await module.run(api)
        return api.steps


def answers(scenario: str) -> list[Step]:
    return [Step(*row) for row in json.loads(_file(scenario).read_text())]


def record(scenario: str, steps: Iterable[Step]) -> None:
    rows = [json.dumps([step.asked, step.status, step.answer], ensure_ascii=False, separators=(",", ":")) for step in steps]
    _file(scenario).write_text("[\n" + ",\n".join(rows) + "\n]\n")


def unexplained(scenario: str, found: list[Difference]) -> tuple[list[Difference], list[Reason]]:
    """The differences without a reason, and the scenario's reasons that match no difference."""
    reasons = [reason for reason in map(Reason._make, json.loads((HERE / "differences.json").read_text())) if reason.scenario == scenario]
    needed = {(each, reason) for each in found for reason in reasons if reason.covers(each)}
    explained = {each for each, _ in needed}
    stale = [reason for reason in reasons if reason not in {reason for _, reason in needed}]
    return [each for each in found if each not in explained], stale


def _file(scenario: str) -> Path:
    return HERE / "answers" / f"{scenario}.json"
