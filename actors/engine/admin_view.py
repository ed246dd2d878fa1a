"""Executions as the API shows them: the packed columns of their rows as the steps and data that Medusa's clients expect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...core.codec import unpack
from ...core.flow.reading import READ
from ...core.rows import Row

Packed = Any
"""A row as the database gives it, or anything else with its columns by name."""

ROOT = "_root"
_IDLE = {"state": "dormant", "status": "idle"}
_DONE = {"state": "done", "status": "ok"}
_INVOKING = {"state": "invoking", "status": "idle"}
_ROOT = {"done": _DONE, "invoking": _INVOKING, "finishing": _INVOKING}
"""State of an execution → the state of its root step; failed for any other."""
_COMPENSATED = {
    "invoking": _IDLE,
    "finishing": _IDLE,
    "done": _IDLE,
    "compensating": {"state": "compensating", "status": "idle"},
    "reverted": {"state": "reverted", "status": "ok"},
    "failed": {"state": "failed", "status": "permanent_failure"},
}
"""State of an execution → the compensation state of a step that is not undone yet, or needn't be."""
_FAILED = {"state": "failed", "status": "permanent_failure"}
_AGAIN = {"state": "invoking", "status": "temporary_failure"}
_OPEN = {"state": "invoking", "status": "waiting"}
"""Of a step that waits for the outside."""
_WAITING = {"invoking": _AGAIN, "finishing": _AGAIN, "failed": _FAILED}
"""State of an execution → the state of the step that it waits at, or last waited at."""


def steps_of(row: Packed) -> Iterator[tuple[str, str, Any]]:
    """Path, name and result of each finished step, in order. Results are kept while an execution runs, or if it has failed."""
    entries = done(row["journal"]) if row["journal"] else ((*line.split(" ", 1), None) for line in row["steps"] or ())
    taken: dict[str, int] = {}
    for path, reference, result in entries:
        name = step_name(reference)
        taken[name] = times = taken.get(name, 0) + 1
        yield path, (name if times == 1 else f"{name}-{times}"), result


def done(journal: Iterable[bytes]) -> Iterator[tuple[str, str, Any]]:
    """Path, reference and result of each finished step in a journal: neither refusals nor reads outside of steps."""
    for path, reference, result, _, _, failure, _ in map(unpack, journal):
        if failure is None and is_step(path, reference):
            yield path, reference, result


def is_step(path: str, reference: str) -> bool:
    """Whether a checkpoint is of a finished step: of neither a read outside of steps nor the asking of one that waits for the outside."""
    return not reference.startswith(READ) and "!" not in path


def waits_of(row: Packed) -> list[str]:
    """The names of the steps that wait for the outside."""
    if row["state"] not in ("invoking", "finishing"):
        return []
    return [wait["step"] for wait in (row["waits"] or {}).values() if "until" in wait and "answer" not in wait]


def step_name(reference: str) -> str:
    """The display name of a step: `velella.workflows.cart.complete:_reserve_stock` is `reserve-stock`."""
    return reference.rpartition(":")[2].strip("_").replace("_", "-")


def execution_of(row: Packed) -> Row:
    """`{"steps": {id: step}}`: each step below the previous one, in the order they were done."""
    undone = _COMPENSATED[row["state"]]
    left = {path.partition("!")[0] for _, path, *_ in unpack(row["undo"])} if row["undo"] is not None else None
    at = ROOT
    steps = {ROOT: _step(ROOT, 0, undone, row)}
    waits_at, _, waiting = (row["waits_at"] or "").rpartition(" ")
    for depth, (path, name, _) in enumerate(steps_of(row), 1):
        if path == waits_at:  # it doesn't wait there any more
            waiting = ""
        at = f"{at}.{name}"
        still = left is None or path in left
        steps[at] = _step(at, depth, undone if still else _COMPENSATED["reverted"], row)
    for name in waits_of(row):
        at = f"{at}.{name}"
        steps[at] = {**_step(at, len(steps), _IDLE, row), "invoke": _OPEN}
        if name == waiting:
            waiting = ""
    if waiting and row["undo"] is None and row["state"] in _WAITING:
        at = f"{at}.{waiting}"
        steps[at] = {**_step(at, len(steps), _IDLE, row), "invoke": _WAITING[row["state"]]}
    return {"steps": steps}


def context_of(row: Packed) -> Row:
    """The input, the results of the steps, and the errors."""
    results = {name: {"output": {"output": result, "compensateInput": result}} for _, name, result in steps_of(row) if result is not None}
    return {"data": {"invoke": results, "payload": unpack(row["input"])}, "compensate": {}, "errors": list(errors_of(row))}


def errors_of(row: Packed) -> Iterator[Row]:
    if row["given_up"]:
        message = f"Given up by {row['given_up']['by']}: {row['given_up']['reason']}"
        yield {"action": row["workflow"], "handlerType": "invoke", "error": {"name": "GivenUp", "message": message}}
    if row["error"]:
        name, message, *_ = row["error"]
        yield {"action": row["workflow"], "handlerType": "invoke", "error": {"name": name, "message": message}}


def _step(id: str, depth: int, compensate: Row, row: Packed) -> Row:
    return {
        "id": id,
        "depth": depth,
        "definition": {},
        "invoke": _DONE if id != ROOT else _ROOT.get(row["state"], _FAILED),
        "compensate": compensate,
        "startedAt": int(row["started_at"].timestamp() * 1000),
    }


def completed(rows: Iterable[Row], packed: Iterable[Packed]) -> None:
    """Fill in the two columns that the rows of a page leave open: `execution`, `context`."""
    held = {each["id"]: each for each in packed}
    for row in rows:
        found = held.get(row["id"])
        if found is None:  # dropped meanwhile
            continue
        if "execution" in row:
            row["execution"] = execution_of(found)
        if "context" in row:
            row["context"] = context_of(found)
