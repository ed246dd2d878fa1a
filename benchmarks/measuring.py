"""Shared by the scripts: whose CPU counts, a progress line, and tables and results for a page."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from scenarios import FURTHER, SCENARIOS, Scenario
from shop import Refused

KNOWN: dict[str, Scenario] = {name: scenario for name, scenario in (SCENARIOS | FURTHER).items() if name != "mixed"}
"""Scenarios of one kind of operation each, so that its CPU can be measured."""


class Processes:
    """Processes whose CPU counts, with all of their descendants."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._roots = [psutil.Process(pid) for pid in sorted(set(pids))]

    @classmethod
    def listening(cls, port: int, also: Iterable[int] = ()) -> Processes:
        """The processes that listen on a port of this machine, and others that belong to them."""
        return cls(listeners(port) | set(also))

    def seconds(self) -> float:
        """CPU seconds so far, those of ended children included."""
        alive = {process for root in self._roots for process in (root, *root.children(recursive=True))}
        total = 0.0
        for process in alive:
            try:
                total += sum(process.cpu_times()[:4])
            except psutil.NoSuchProcess:  # it ended meanwhile; its parent has its seconds now
                continue
        return total


def listeners(port: int) -> set[int]:
    """Ids of the processes that listen on a port. Raises Refused when there are none."""
    found = {
        found.pid
        for found in psutil.net_connections("tcp")
        if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port and found.pid is not None
    }
    if not found:
        raise Refused(f"nobody listens on port {port}")
    return found


def title_of(scenario: str) -> str:
    """The title of a scenario in tables."""
    return (KNOWN[scenario].__doc__ or scenario).splitlines()[0].rstrip(".").lower()


def turning(console: Console) -> Progress:
    """A progress line."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


LOAD = round(os.getloadavg()[0], 2)
"""Load of the machine before anything was measured."""


def conditions() -> dict[str, Any]:
    """The conditions of a measurement."""
    return {"cpus": os.cpu_count(), "when": time.strftime("%Y-%m-%d %H:%M:%S"), "load_average_before": LOAD}


def noted(table: str) -> str:
    """A table with a line about the machine below."""
    said = conditions()
    return f"{table}\n\n{said['cpus']} cores, whose load average was {LOAD:g} before the run; {said['when'][:10]}."


def keep(path: Path, figures: dict[str, Any]) -> None:
    """Write results as JSON, with the conditions of the measurement."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(conditions() | figures, indent=1) + "\n")


def write_into(path: Path, table: str, mark: str) -> None:
    """Put a table between the lines `<!-- mark -->` and `<!-- /mark -->` of a file."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    text = path.read_text()
    if begin not in text or end not in text:
        raise Refused(f"{path} has no lines {begin} and {end}")
    head, _, rest = text.partition(begin)
    path.write_text(f"{head}{begin}\n{table}\n{end}{rest.partition(end)[2]}")
