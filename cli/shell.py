"""`velella shell`: a shop at hand in Python's own shell, or in IPython where that is installed.

The shop lives in a loop in a thread beside it, and so does what is typed: an `await` stands where a person would write one.
"""

from __future__ import annotations

import ast
import asyncio
import atexit
import code
import concurrent.futures
import contextlib
import importlib
import importlib.util
import sys
import textwrap
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import CodeType
from typing import Any

import typer

from .. import __version__
from ..core.private import open_private
from ..core.settings import Settings, without_password
from ..core.sql.schema.query import Query
from . import colony
from .at_hand import ShopHandle, at_hand, chosen_settings
from .data import DatabaseUrl, DataDir
from .script import compiled, executed, show

HISTORY = 10_000
"""Lines that are remembered."""


def register(app: typer.Typer) -> None:
    @app.command(epilog="Examples:  velella shell  ·  velella shell --data-dir shop2 < look.py")
    def shell(
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
        address: str | None = colony.Address,
        plain: bool = typer.Option(False, "--plain", help="Python's own shell, also where IPython is installed."),
    ) -> None:
        """Open a Python shell with the shop at hand: its modules, its workflows, its graph. `await` works.

        A shop that runs carries out what is typed; else this process does."""
        settings = chosen_settings(data_dir, database_url)
        with _loop() as loop, _shop(lambda: at_hand(settings, address, database_url), loop) as shop:
            here = _Here({**shop.names(), "Query": Query, "asyncio": asyncio}, loop)
            if sys.stdin.isatty() and not plain and importlib.util.find_spec("IPython") is not None:
                _ipython(here, banner(shop), settings)
            else:
                _python(here, banner(shop), settings)


def banner(shop: ShopHandle) -> str:
    """What there is, and how it is used."""
    settings = shop.settings
    url = settings.database_url if shop.running is None else None
    what = settings.data_dir if url is None or str(settings.data_dir) in url else without_password(url)
    where = f"served at {shop.running}" if shop.running else "not served: this process carries out everything"
    modules = textwrap.wrap(" ".join(sorted(vars(shop.modules))), 66)
    return "\n".join(
        (
            f"Velella {__version__}, Python {sys.version.split()[0]}. The shop of {what},",
            f"{where}.",
            "",
            '  modules    await modules.product.list("product", {"status": "draft"}, limit=3)',
            *(f"             {line}" for line in modules),
            '  graph      await graph.rows(Query("order", ("id", "customer.email"), limit=3))',
            "  run        from velella.workflows.product.groups import PRODUCT_TAGS",
            '             await run(PRODUCT_TAGS.create, [{"value": "new"}])',
            '  workflows  await workflows.list(state="failed")',
            "  shop       all of these, shop.settings and shop.start",
            "",
        )
    )


@contextlib.contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="shop", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextlib.contextmanager
def _shop(open_: Callable[[], AbstractAsyncContextManager[ShopHandle]], loop: asyncio.AbstractEventLoop) -> Iterator[ShopHandle]:
    """`at_hand` in that loop: one task opens and closes it."""
    opened: concurrent.futures.Future[ShopHandle] = concurrent.futures.Future()
    leave = asyncio.Event()

    async def stay() -> None:
        try:
            async with open_() as shop:
                opened.set_result(shop)
                await leave.wait()
        except BaseException as error:
            if opened.done():
                raise
            opened.set_exception(error)

    staying = asyncio.run_coroutine_threadsafe(stay(), loop)
    try:
        yield opened.result()
    finally:
        loop.call_soon_threadsafe(leave.set)
        staying.result()


class _Here:
    """Carries out what is typed in the loop of the shop."""

    def __init__(self, names: dict[str, Any], loop: asyncio.AbstractEventLoop) -> None:
        self.names = names
        self._loop = loop

    def __call__(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The result of this in the loop. Ctrl-C cancels it."""
        future = asyncio.run_coroutine_threadsafe(_without_leaving(work), self._loop)
        try:
            answer = future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise
        if isinstance(answer, SystemExit):
            raise answer
        return answer


async def _without_leaving(work: Coroutine[Any, Any, Any]) -> Any:
    """Its result, or the SystemExit that it ends in: raised in a task it would end the loop."""
    try:
        return await work
    except SystemExit as leaving:
        return leaving


class _Console(code.InteractiveConsole):
    """Python's shell, whose lines may await."""

    def __init__(self, here: _Here, settings: Settings) -> None:
        super().__init__(here.names)
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._here = here
        self._settings = settings

    def runcode(self, code: CodeType) -> None:
        try:
            self._here(executed(code, self._here.names))
        except SystemExit:
            raise
        except KeyboardInterrupt:
            self.write("\nKeyboardInterrupt\n")
        except BaseException as error:  # noqa: BLE001 - anything may be typed
            show(error, self._settings)


def _python(here: _Here, greeting: str, settings: Settings) -> None:
    if sys.stdin.isatty():
        _remember(here.names, settings)
        sys.ps1, sys.ps2 = "velella> ", "    ...> "
        _Console(here, settings).interact(greeting, exitmsg="")
        return
    try:
        here(executed(compiled(sys.stdin.read(), "<stdin>"), here.names))
    except Exception as error:  # noqa: BLE001 - as above
        show(error, settings)
        raise typer.Exit(1) from None


def _remember(names: dict[str, Any], settings: Settings) -> None:
    """Complete names with Tab, and keep what was typed in the data directory, where nobody else reads it."""
    try:
        import readline
        import rlcompleter
    except ImportError:  # Python was built without it
        return
    readline.set_completer(rlcompleter.Completer(names).complete)
    readline.parse_and_bind("tab: complete")
    history = _history(settings)
    with contextlib.suppress(FileNotFoundError):
        readline.read_history_file(history)
    readline.set_history_length(HISTORY)

    def keep() -> None:
        with open_private(history, "a"):
            pass
        readline.write_history_file(history)

    atexit.register(keep)


def _history(settings: Settings) -> Path:
    return settings.private_data_dir() / "shell_history"


def _ipython(here: _Here, greeting: str, settings: Settings) -> None:
    config: Any = importlib.import_module("traitlets.config").Config()
    config.HistoryManager.hist_file = str(settings.private_data_dir() / "shell_history.sqlite")
    embed: Any = importlib.import_module("IPython.terminal.embed")
    shell = embed.InteractiveShellEmbed(config=config, user_ns=here.names, banner1=f"{greeting}\n", confirm_exit=False)
    shell.loop_runner = here
    shell.autoawait = True
    shell.set_custom_exc((Exception,), lambda *given, tb_offset=None: show(given[2], settings))
    shell.show_banner()
    shell.mainloop()
