"""`velella exec`: a script of the operator's, with the shop at hand.

# close_drafts.py
from velella.cli.script import ShopHandle

async def main(shop: ShopHandle) -> None:
    for draft in await shop.modules.product.list("product", {"status": "draft"}):
        ...

Without a `main` its top level is what is done: it may `await`, and finds `shop`, `modules`, `graph`, `workflows` and `run`.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import signal
import sys
import sysconfig
import traceback
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

import typer

from ..core.errors import VelellaError
from ..core.settings import Settings
from . import colony
from .at_hand import ShopHandle, at_hand, chosen_settings
from .data import DatabaseUrl, DataDir

__all__ = ["ShopHandle"]

NAME = "velella_script"
"""The module that a script is. It isn't `__main__`: what stands under `if __name__ == "__main__"` starts a loop of its own."""
INTERRUPTED = 130
_OTHERS = tuple(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "purelib", "platlib"))


class Failed(Exception):
    """The script raised this error."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


def register(app: typer.Typer) -> None:
    @app.command(
        "exec",
        context_settings={"allow_interspersed_args": False},  # what follows the script is the script's
        epilog="Examples:  velella exec close_drafts.py  ·  velella exec --data-dir shop2 import.py products.csv --dry-run",
    )
    def exec_(
        script: Path = typer.Argument(exists=True, dir_okay=False, readable=True, help="A Python file with an `async def main(shop)`."),
        arguments: list[str] | None = typer.Argument(None, help="The script's own: in sys.argv, and shop.arguments."),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
        address: str | None = colony.Address,
        trace: bool = typer.Option(False, "--trace", help="Show all of an error's trace, not only the script's and its plugins' part."),
    ) -> None:
        """Run a Python script with the shop at hand: its modules, its workflows, its graph.

        A shop that runs carries out what the script asks of it; else this process does. Exit code: the number that `main` returns, else 0;
        1 for an error."""
        settings = chosen_settings(data_dir, database_url)
        sys.argv = [str(script), *(arguments or [])]
        sys.path.insert(0, str(script.absolute().parent))
        try:
            code = asyncio.run(_until_ended(_execute(script, _code_of(script), at_hand(settings, address, database_url, sys.argv[1:]))))
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except Failed as failed:
            show(failed.error, settings, whole=trace)
            raise typer.Exit(1) from None
        raise typer.Exit(code)


def _code_of(script: Path) -> CodeType:
    try:
        return compiled(script.read_bytes(), str(script))
    except (SyntaxError, ValueError) as error:  # ValueError: null bytes
        raise Failed(error) from None


async def _until_ended(work: Coroutine[Any, Any, int]) -> int:
    """Its result; SIGTERM ends it as Ctrl-C does, so that the database doesn't outlive it."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _execute(script: Path, code: CodeType, at_hand: AbstractAsyncContextManager[ShopHandle]) -> int:
    async with at_hand as shop:
        try:
            return await _carried_out(script, code, shop)
        except SystemExit as error:
            if error.code is not None and not isinstance(error.code, int):
                print(error.code, file=sys.stderr)
                return 1
            return error.code or 0
        except Exception as error:  # noqa: BLE001 - the script may raise anything
            raise Failed(error) from None


async def _carried_out(script: Path, code: CodeType, shop: ShopHandle) -> int:
    module = ModuleType(NAME)
    module.__dict__.update(__file__=str(script), **shop.names())
    sys.modules[NAME] = module  # where dataclasses and pickles look for what it defines
    await executed(code, module.__dict__)
    main = module.__dict__.get("main")
    answer = main(shop) if callable(main) else None
    if inspect.isawaitable(answer):
        answer = await answer
    return answer if isinstance(answer, int) else 0


def compiled(text: str | bytes, name: str) -> CodeType:
    """Code whose top level may await. Raises SyntaxError."""
    code: CodeType = compile(text, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return code


async def executed(code: CodeType, names: dict[str, Any]) -> Any:
    answer = eval(code, names)
    return await answer if inspect.iscoroutine(answer) and code.co_flags & inspect.CO_COROUTINE else answer


# -- what went wrong


Theirs = Callable[[str, str], bool]
"""Whether a module, by its name and file, is the author's whose error it is."""


def show(error: BaseException, settings: Settings, *, whole: bool = False) -> None:
    """Print an error with the script's and its plugins' part of its trace, without Velella's and Python's; all of it if `whole`."""
    plugins = {name.partition(".")[0] for name in (*settings.plugins, *settings.modules.values())}

    def theirs(module: str, path: str) -> bool:
        root = module.partition(".")[0]
        return root in plugins or (root != "velella" and not path.startswith((*_OTHERS, "<frozen")))

    if not whole:
        cut(error, theirs)
    traceback.print_exception(error)
    if isinstance(error, VelellaError) and error.hint:
        print(f"  {error.hint}", file=sys.stderr)


def cut(error: BaseException, theirs: Theirs) -> None:
    """Leave their frames in the trace of an error, and of those that led to it. Those in which they have no part are left out."""
    seen: set[int] = set()

    def one(error: BaseException | None) -> None:
        if error is None or id(error) in seen:
            return
        seen.add(id(error))
        error.__traceback__ = _left(error.__traceback__, theirs)
        for other in (error.__cause__, error.__context__, *getattr(error, "exceptions", ())):
            one(other)
        if error.__cause__ is not None and error.__cause__.__traceback__ is None:
            error.__cause__ = None
        if error.__context__ is not None and error.__context__.__traceback__ is None:
            error.__context__ = None

    one(error)


def _left(trace: TracebackType | None, theirs: Theirs) -> TracebackType | None:
    if trace is None:
        return None
    rest, frame = _left(trace.tb_next, theirs), trace.tb_frame
    file = frame.f_globals.get("__file__") or frame.f_code.co_filename  # the former also where the code was compiled elsewhere
    if theirs(str(frame.f_globals.get("__name__", "")), str(file)):
        return TracebackType(rest, frame, trace.tb_lasti, trace.tb_lineno)
    return rest
