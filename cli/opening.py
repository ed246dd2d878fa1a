"""What a shop needs before it opens: `velella seed`, users and keys. Also beside a shop that is served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from ..actors.host import local_host
from ..core.errors import NotFound, VelellaError
from ..core.settings import Settings
from . import instance
from .accounts import create_admin, reset_mfa
from .at_hand import running
from .data import DatabaseUrl, DataDir, unseen, with_database
from .output import console
from .seeding import analyze, seed_defaults, seed_demo, turn

R = TypeVar("R")


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example:  velella seed")
    def seed(
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
        empty: bool = typer.Option(False, "--empty", help="Only what every store needs, without the demo shop."),
    ) -> None:
        """Fill the shop with what every store needs, and with the demo shop. What exists is left alone."""

        async def work(settings: Settings) -> None:
            async with turn(settings):
                await seed_defaults(settings)
                if not empty:
                    await seed_demo(settings, visits=True)
                await analyze(settings)

        _changing(data_dir, database_url, work)
        console.print("Seeded.")

    _users(app)
    _keys(app)


def _users(app: typer.Typer) -> None:
    users = typer.Typer(help="Admin users.", no_args_is_help=True)
    app.add_typer(users, name="user")

    @users.callback()
    def group() -> None:
        pass

    @users.command(epilog="Example:  velella user create --email ada@example.com --password 'correct horse'")
    def create(
        email: str = typer.Option(..., help="What the user logs in with."),
        password: str = typer.Option(
            ..., prompt=True, hide_input=True, callback=unseen, help="Asked for when left out; - reads it from a pipe."
        ),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
    ) -> None:
        """Create an admin user who logs in with email and password."""

        async def work(settings: Settings) -> str:
            async with local_host(settings, ["auth", "user"], visits=True) as host:
                return await create_admin(host.modules, email, password)

        console.print(f"Created {_changing(data_dir, database_url, work)}.")

    @users.command(
        "reset-mfa",
        epilog="Examples:  velella user reset-mfa --email ada@example.com  ·  … --email bo@example.com --actor customer",
    )
    def reset(
        email: str = typer.Option(..., help="What they log in with, or the address of their account."),
        actor: str = typer.Option("user", help="What they log in as: user, customer, or what a plugin has."),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
    ) -> None:
        """Let a user, or a customer, who has lost the second factor log in without it, and set up another."""

        async def work(settings: Settings) -> bool:
            async with local_host(settings, ["auth", "user", "customer"], visits=True) as host:
                return await reset_mfa(host.modules, email, actor)

        had = _changing(data_dir, database_url, work)
        console.print(f"{email} logs in without a second factor now." if had else f"{email} has no second factor.")


def _keys(app: typer.Typer) -> None:
    keys = typer.Typer(help="API keys.", no_args_is_help=True)
    app.add_typer(keys, name="key")

    @keys.command(epilog="Examples:  velella key create --title Webshop  ·  velella key create --type secret --title Importer")
    def create(
        title: str = typer.Option(..., help="What the key is for."),
        type: Literal["publishable", "secret"] = typer.Option("publishable", help="publishable: for storefronts. secret: for servers."),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
    ) -> None:
        """Create an API key and print its token; a secret one is shown this once. A publishable one opens the default sales channel."""

        async def work(settings: Settings) -> str:
            async with local_host(settings, ["api_key", "store", "link"], visits=True) as host:
                [key] = await host.modules.api_key.create_keys([{"title": title, "type": type, "created_by": ""}])
                if type == "publishable":
                    [store] = await host.modules.store.list("store", {}, limit=1)
                    if store["default_sales_channel_id"] is None:
                        raise NotFound("The store has no default sales channel to open.", hint="Run `velella seed --empty` first.")
                    pair = {"publishable_key_id": key["id"], "sales_channel_id": store["default_sales_channel_id"]}
                    await host.modules.link.attach("publishable_api_key_sales_channel", [pair])
                return str(key["token"])

        print(_changing(data_dir, database_url, work))

    @keys.command("list", epilog="Example:  velella key list")
    def list_(data_dir: Path | None = DataDir, database_url: str | None = DatabaseUrl) -> None:
        """List the API keys."""

        async def work(settings: Settings) -> Table:
            async with local_host(settings, ["api_key"], visits=True) as host:
                rows = await host.modules.api_key.list("api_key", {})
            table = Table("title", "type", "token", "created", "revoked")
            for row in rows:
                shown = row["token"] if row["type"] == "publishable" else row["redacted"]
                table.add_row(row["title"], row["type"], shown, row["created_at"][:10], (row["revoked_at"] or "")[:10])
            return table

        console.print(with_database(data_dir, database_url, work))


def _changing(data_dir: Path | None, database_url: str | None, work: Callable[[Settings], Awaitable[R]]) -> R:
    """`with_database` for what changes the shop. Where it is served, its processes forget afterwards what they remember: they don't hear of
    what others write."""

    async def changed(settings: Settings) -> R:
        result = await work(settings)
        try:
            async with running(settings) as found:
                if found is not None:
                    await found[0].clear_cache()
        except VelellaError as error:  # what was to be done is done
            said = f"{error.message} What it remembers may be of before: {instance.command('velella cache clear')}"
            Console(stderr=True, highlight=False, soft_wrap=True).print(said, markup=False)
        return result

    return with_database(data_dir, database_url, changed)
