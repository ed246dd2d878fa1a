"""Every workflow beside what the API promises of it to those who join in: its hooks and its events."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from velella.actors.engine.coordinator import load_workflows
from velella.core.flow import Workflow, workflow_named
from velella.workflows import built_in

from . import hooks_and_events, reference

load_workflows(["velella.workflows"])
PROMISED: dict[str, dict[str, str]] = {
    each["workflow"]: each for each in json.loads((Path(__file__).parent / "workflows.json").read_text())
}

ON_PURPOSE = (
    # What a flow runs inside of itself emits these.
    r".*-levels-workflow events: inventory-level\.(created|updated|deleted) is (missing|not promised)",
    r"(refresh-cart-items|update-cart-promotions) events: cart\.updated is not promised",
    # A flow that somebody's hook makes durable is written down, and this one's result is the whole token of a key.
    r"create-api-keys hooks: apiKeysCreated is missing",
    # Prices are found wherever a cart changes, and so is what is to be paid; this one flow is for carts that are out of date.
    r"refresh-cart-items hooks: (beforeRefreshingPaymentCollection|setPricingContext) is missing",
    r"(delete-line-items|transfer-cart-customer|update-cart) hooks: setPricingContext is not promised",
)
"""Where we depart from the API knowingly."""


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_a_workflow_has_the_hooks_and_events_that_the_api_promises(name: str) -> None:
    found = [f"{name} {departure}" for departure in departures(workflow_named(name), PROMISED[name])]
    assert [each for each in found if not any(re.fullmatch(known, each) for known in ON_PURPOSE)] == []


def departures(flow: Workflow[..., object], promised: dict[str, str]) -> Iterator[str]:
    """A flow that names no hooks has any, and a durable one may emit anything."""
    for what, ours in (("hooks", flow.hooks), ("events", None if flow.durable else flow.emits)):
        theirs = set(promised.get(what, "").split())
        for name in sorted(theirs - set(ours or ())) if ours is not None else ():
            yield f"{what}: {name} is missing"
        for name in sorted(set(ours or ()) - theirs):
            yield f"{what}: {name} is not promised"


def test_plugins_have_every_workflow_by_its_name_there() -> None:
    there = [fact["workflow"] for fact in hooks_and_events.promised()["workflows"] if fact["workflow"] in hooks_and_events.workflows()]
    assert len(there) > 250
    names = {name: re.sub(r"\W", "_", name.removesuffix("workflow").rstrip("-")) for name in there}
    assert {name: getattr(built_in, said, None) for name, said in names.items()} == {name: workflow_named(name) for name in there}


def test_the_documentation_lists_every_workflow_hook_and_event() -> None:
    assert hooks_and_events.document() == hooks_and_events.DOCUMENT.read_text(), "run python -m velella.tests.contract.hooks_and_events"


def test_a_hook_is_offered_what_the_api_promises() -> None:
    rows = [line for line in hooks_and_events.tables().splitlines() if "| without " in line]
    assert {re.sub(r".*\| without (.*) \|", r"\1", row) for row in rows} <= {"`orderChange`", "`orderChange`, `previewedOrder`"}


def test_the_reference_is_what_the_code_says() -> None:
    """Said in a process of its own: here other tests have made workflows, too."""
    say = f"import importlib; print(importlib.import_module({reference.__name__!r}).document(), end='')"
    said = subprocess.run([sys.executable, "-c", say], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True).stdout
    assert said == reference.DOCUMENT.read_text(), "run python -m velella.tests.contract.reference"
