"""What of the API's workflows, hooks and events is there. Run as a script, brings the tables of docs/events-and-hooks.md up to date."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from velella.actors.engine.coordinator import load_workflows
from velella.core.flow import Workflow, definitions
from velella.core.service.migrations import load_module
from velella.core.settings import Settings
from velella.core.sql.write.outbox import ROWS, events_of

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "events-and-hooks.md"
MARK = "<!-- made by tests/contract/hooks_and_events.py -->\n"
ALWAYS = {"input", "additional_data"}
"""What every hook is offered."""

NOT_THERE = {
    r"refresh-cart-items setPricingContext": "part of `delete-line-items`, `transfer-cart-customer`, `update-cart`, which have it",
    r"refresh-cart-items beforeRefreshingPaymentCollection": "what is to be paid is changed together with the cart",
    r"update-.*-translations": "a step of the flows that change a locale",
    r"(create|dismiss|update)-link": "links are written by the flows that need them, as a step: `workflows/links.py`",
    r"get-.*": "`flow.graph` reads it",
    r"(create|delete)-users?(-workflow)?": "part of `create-user-account`, `accept-invite-workflow`, `remove-user-account`",
    r"set-auth-app-metadata-workflow": "part of `create-user-account` and `create-customer-account`",
    r"(.*-order-change(-actions)?|update-order-edit-update-quantity)": "the flows of edits, returns, claims and exchanges do it",
    r".*-promotion-rules-workflow": "`batch-promotion-rules` does it",
    r".*-price-list-prices": "`batch-price-list-prices` does it",
    r"(.*refresh-.*|upsert-.*|update-order-tax-lines|order-add-line-items|on-carry-.*)": "a step of the flows that need it",
    r"(create|delete)-cart-credit-lines": "carts have no credit lines yet",
    r"receive-return-order": "`begin-receive-return` and `confirm-return-receive` do it",
    r"refund-payment-and-recreate-payment-session": "`refund-payment-workflow` and a new session",
    r"cart\.customer_updated": "declared there, and emitted by nothing: `cart.updated`",
    r"create-api-keys apiKeysCreated": "a flow with a hook that writes is written down, and the token of a key is kept nowhere",
}
"""Pattern of a workflow, an event, or a workflow with its hook → why it isn't there."""


@cache
def promised() -> Any:
    """What the API promises, without the enterprise edition."""
    return json.loads(Path(__file__).with_name("hooks_and_events.json").read_text())


@cache
def workflows() -> dict[str, Workflow[..., Any]]:
    load_workflows(["velella.workflows"])
    return {name: one for name, one in definitions._workflows.items() if one.function.__module__.startswith("velella.workflows.")}


def _sources() -> Iterator[ast.AST]:
    return (node for file in sorted((ROOT / "workflows").rglob("*.py")) for node in ast.walk(ast.parse(file.read_text())))


@cache
def offered() -> dict[str, set[str]]:
    """Hook → the arguments that flows offer at it, by name."""
    found: dict[str, set[str]] = defaultdict(set)
    asked = set()
    for node in _sources():
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "hooks":
            asked.add(node.attr)
        if not isinstance(node, ast.Call):
            continue
        names = {keyword.arg for keyword in node.keywords if keyword.arg}
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Attribute) and node.func.value.attr == "hooks":
            found[node.func.attr] |= names
        elif isinstance(node.func, ast.Name) and node.func.id == "hook":  # one function that asks several hooks
            for name in ("setShippingOptionsContext", "setCalculatedShippingPricingContext", "setPricingContext"):
                found[name] |= names
        elif isinstance(node.func, ast.Name) and node.func.id == "Plain":
            given = {keyword.arg: keyword.value.value for keyword in node.keywords if isinstance(keyword.value, ast.Constant)}
            if (hooks := given.get("hooks")) is not None:
                rows = given.get("rows_as") or re.sub("(?=[A-Z])", "_", str(hooks)).lower()
                found[f"{hooks}Created"].add(str(rows))
                found[f"{hooks}Updated"].add(str(rows))
                found[f"{hooks}Deleted"].add("ids")
    assert asked <= found.keys()
    return found


@cache
def emitted() -> set[str]:
    """The events that flows emit."""
    found = {event for one in workflows().values() for event in one.emits or ()}
    for node in _sources():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "emit":
            found |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)}
    return found


def why_not(what: str) -> str:
    """Raises AssertionError where nobody has said why."""
    reasons = [why for pattern, why in NOT_THERE.items() if re.fullmatch(pattern, what)]
    assert reasons, f"{what} isn't there, and {Path(__file__).name} doesn't say why"
    return reasons[0]


def tables() -> str:
    return "\n".join((*_hooks(), "", *_events(), "", *_modules(), "", *_workflows(), ""))


def _hooks() -> Iterator[str]:
    yield from ("## Hooks", "| workflow | hook | arguments | |", "| --- | --- | --- | --- |")
    for fact in promised()["workflows"]:
        name, flow = fact["workflow"], workflows().get(fact["workflow"])
        for hook, arguments in fact.get("hooks", {}).items():
            if flow is None:
                note, there = _absent(fact), False
            elif there := hook in (flow.hooks or ()):  # one that names none would take a handler, and never run it
                missing = set(arguments.split()) - offered()[hook] - ALWAYS
                note = f"without {_code(sorted(missing))}" if missing else ""
            else:
                note = why_not(f"{name} {hook}")
            given = [one for one in arguments.split() if one in offered()[hook] or one in ALWAYS] if there else []
            yield f"| `{name}` | `{hook}` | {_code(given)} | {note if there else f'not there: {note}'} |"


def _events() -> Iterator[str]:
    yield from ("## Events", "| event | data | emitted by |", "| --- | --- | --- |")
    for fact in promised()["events"]:
        event, by = fact["event"], [name for name in fact.get("workflows", "").split() if name in workflows()]
        if event in emitted():
            yield f"| `{event}` | {_code(fact.get('payload', '').split())} | {_code(by)} |"
        else:
            yield f"| `{event}` | | not there: {why_not(event)} |"


def _modules() -> Iterator[str]:
    yield from ("## Events of modules", "| module | things | events of each |", "| --- | --- | --- |")
    for module, things in promised()["modules"].items():
        there = events_of(load_module(module, Settings(_env_file=None)).schema)
        for thing in things:
            assert {f"{module}.{thing}.{action}" for action in ROWS} <= there.keys(), f"{module} has no events of {thing}"
        yield f"| `{module}` | {_code(things)} | {_code(ROWS)} |"


def _workflows() -> Iterator[str]:
    facts = promised()["workflows"]
    there = [fact["workflow"] for fact in facts if fact["workflow"] in workflows()]
    yield from ("## Workflows", f"{len(there)} of {len(facts)} are there: {_code(there)}.", "")
    yield from ("| not there | why |", "| --- | --- |")
    for fact in facts:
        if fact["workflow"] not in workflows():
            yield f"| `{fact['workflow']}` | {_absent(fact)} |"


def _absent(fact: Any) -> str:
    """Why a workflow isn't there: for most, because it is nothing but a part of others, which do the same by steps of theirs."""
    whole = [name for name in fact.get("in", "").split() if name in workflows()]
    return f"part of {_code(whole[:3])}{', …' if whole[3:] else ''}" if whole else _of_parts(fact)


def _of_parts(fact: Any) -> str:
    """The same for a part of a part."""
    by_name = {each["workflow"]: each for each in promised()["workflows"]}
    for name in fact.get("in", "").split():
        if whole := [one for one in by_name[name].get("in", "").split() if one in workflows()]:
            return f"part of {_code(whole[:3])}"
    return why_not(fact["workflow"])


def _code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def document() -> str:
    """docs/events-and-hooks.md as it should be."""
    return DOCUMENT.read_text().partition(MARK)[0] + MARK + tables()


if __name__ == "__main__":
    DOCUMENT.write_text(document())
