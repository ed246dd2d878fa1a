"""`velella new plugin`: a plugin to begin with, which runs, has tests, and is typed.

It is a copy of `template`, a plugin about things, under another name: files of parts that weren't chosen are left out.
"""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

import typer

from .. import __version__
from ..actors.services import ENGINE, load, module_names
from ..core.errors import Misconfigured
from ..core.settings import Settings
from .output import console

TEMPLATE = Path(__file__).with_name("template")
PARTS = {
    "module": ("a table, and the messages by which it is read and written", ()),
    "link": ("between what is yours and what is another module's", ("module",)),
    "workflow": ("what is done in steps, and undone when one fails", ("module",)),
    "routes": ("of the admin and of the store API", ("workflow",)),
    "dashboard": ("a widget and a page of the merchant's dashboard", ("routes",)),
    "hook": ("a step in a workflow of another's", ("module",)),
    "subscriber": ("what is done after an event", ("module",)),
    "job": ("what is done by the clock", ("module",)),
    "rule": ("what rules of promotions and prices can be about, and what promotions can give", ()),
    "provider": ("a way to pay", ()),
    "tests": ("of all of these", ()),
}
"""Part → what it is, and the parts that it builds on."""
FILES = {
    "thing/module/": "module",
    "thing/links.py": "link",
    "thing/workflows.py": "workflow",
    "thing/http/": "routes",
    "thing/admin/": "dashboard",
    "thing/hooks.py": "hook",
    "thing/subscribers.py": "subscriber",
    "thing/jobs.py": "job",
    "thing/rules.py": "rule",
    "thing/provider.py": "provider",
    "tests/test_module.py": "module",
    "tests/test_links.py": "link",
    "tests/test_routes.py": "routes",
    "tests/test_hooks.py": "hook",
    "tests/test_subscribers.py": "subscriber",
    "tests/test_jobs.py": "job",
    "tests/test_rules.py": "rule",
    "tests/test_provider.py": "provider",
}
"""Beginning of a path in the template → its part. Others belong to every plugin; those in `tests` to the part of that name, too."""
EXAMPLES = """Examples:  velella new plugin brand  ·  velella new plugin gift_note --only routes,tests  ·
velella new plugin door_payment --only provider --only tests --folder plugins/door"""

_NAME = re.compile(r"thing|Thing|THING")


def register(app: typer.Typer) -> None:
    new = typer.Typer(help="Begin something new.", no_args_is_help=True)
    app.add_typer(new, name="new")
    parts = "; ".join(f"{name}: {what}" for name, (what, _) in PARTS.items())

    @new.command(epilog=EXAMPLES)
    def plugin(
        name: str = typer.Argument(
            help="What it is about, in the singular: brand, gift_note. Names the package, the module and the table."
        ),
        only: list[str] = typer.Option([], help=f"Parts, and those that they build on. Default: all. {parts}."),
        folder: Path | None = typer.Option(None, help="A new or empty folder. Default: one of this name, here."),
    ) -> None:
        """Write a plugin that runs: a package with a shop's settings, and with its tests."""
        path = folder or Path(name)
        chosen = chosen_parts([part.strip() for given in only for part in given.split(",")])
        check_name(name)
        written = write_plugin(name, path, chosen)
        console.print(f"{path}: {', '.join(chosen)}; {written} files. Next:\n")
        tests = ["pytest", "mypy"] if "tests" in chosen else ["mypy"]
        for command in (f"cd {path}", "pip install -e '.[dev]'", "velella develop", *tests):
            console.print(f"  {command}", markup=False)


def chosen_parts(names: Sequence[str]) -> list[str]:
    """The parts of these names and those that they build on; all for none. Raises Misconfigured for a name that there isn't."""
    wanted: set[str] = set()

    def want(name: str) -> None:
        if name not in PARTS:
            close = get_close_matches(name, PARTS, n=1)
            raise Misconfigured(
                f"A plugin has no part `{name}`.{f' Did you mean `{close[0]}`?' if close else ''}", hint=f"Parts are: {', '.join(PARTS)}."
            )
        wanted.add(name)
        for other in PARTS[name][1]:
            want(other)

    for name in names or PARTS:
        want(name)
    return [name for name in PARTS if name in wanted]


def check_name(name: str) -> None:
    """Raises Misconfigured for a name that a package can't have, or that something has already."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        meant = re.sub(r"\W+", "_", name).strip("_").lower()
        usable = re.fullmatch(r"[a-z][a-z0-9_]*", meant) and not keyword.iskeyword(meant)
        raise Misconfigured(
            f"A plugin can't be called `{name}`: Python packages have names of small letters, digits and _.",
            hint=f"Try `velella new plugin {meant}`." if usable else "For example: `velella new plugin gift_note`.",
        )
    if name in _taken():
        raise Misconfigured(f"Velella has a {name.replace('_', ' ')} already.", hint="Choose another name: yours stands beside it.")
    found = importlib.util.find_spec(name)
    if name in sys.stdlib_module_names or (found is not None and found.origin is not None):
        raise Misconfigured(f"There is a Python package called {name} already.", hint="Choose another name: one would hide the other.")


def _taken() -> set[str]:
    """Names of services and entities that come with Velella."""
    settings = Settings(_env_file=None)
    entities = {entity for module in module_names() for entity in load(module, settings).schema.entities}
    return {*module_names(), *ENGINE, *entities}


def write_plugin(name: str, folder: Path, parts: Sequence[str]) -> int:
    """Write the plugin; returns how many files it has. Raises Misconfigured, before anything is written, for a folder that isn't empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Misconfigured(f"{folder} is there already, and isn't an empty folder.", hint="Name another one with --folder.")
    count = 0
    for file, text in template(parts):
        target = folder / renamed(file, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(renamed(text, name))
        count += 1
    return count


def template(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Path and text of each file of a plugin about things."""
    for path in sorted(TEMPLATE.rglob("*")):
        file = path.relative_to(TEMPLATE).as_posix()
        if path.is_dir() or "__pycache__" in file:
            continue
        part = next((part for beginning, part in FILES.items() if file.startswith(beginning)), None)
        if (part is None or part in parts) and (not file.startswith("tests/") or "tests" in parts):
            text = _chosen(path.read_text(), parts)
            yield (".gitignore" if file == "gitignore" else file), text.replace('"velella"', f'"velella>={__version__}"')


def _chosen(text: str, parts: Sequence[str]) -> str:
    """The text without the paragraphs of parts that weren't chosen, which begin with `#: part`, and without the lines that end so."""
    kept = []
    for paragraph in text.rstrip("\n").split("\n\n"):
        head, _, rest = paragraph.partition("\n")
        part = head.removeprefix("#: ")
        if part == head:
            kept.append(paragraph)
        elif part in parts:
            kept.append(rest)
    lines = (line.partition("  #: ") for line in "\n\n".join(kept).split("\n"))
    return "\n".join(line for line, _, part in lines if not part or part in parts) + "\n" if text else ""


def renamed(text: str, name: str) -> str:
    """A text about things as one about `name`s: `gift_note`, GiftNote, giftNoteCreated, /admin/gift-notes."""
    camel = "".join(word.capitalize() for word in name.split("_"))
    kebab = name.replace("_", "-")

    def said(found: re.Match[str]) -> str:
        before, after = text[: found.start()], text[found.end() :]
        if found[0] == "Thing":
            is_text = after.startswith("s") and (before.endswith(('"', ". ")) or not before.rpartition("\n")[2].strip())
            return name.replace("_", " ").capitalize() if is_text else camel
        if found[0] == "THING":
            return name.upper()
        if after[:1].isupper():
            return camel[0].lower() + camel[1:]
        return kebab if before.endswith(("/", "-")) or after.startswith(("-", ".created")) else name

    return _NAME.sub(said, text)
