"""`velella import` and `velella export`. What does the work is imported by the command that is run: it takes half a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, TypeVar

import typer

from . import colony, instance
from .at_hand import ShopHandle, at_hand, chosen_settings
from .data import DatabaseUrl, DataDir, database, readable_url
from .output import console

R = TypeVar("R")


def register(app: typer.Typer) -> None:
    imports = typer.Typer(help="Bring products, or a whole shop of Medusa's, into a shop.", no_args_is_help=True)
    app.add_typer(imports, name="import")

    @imports.command(epilog="Examples:  velella import products products.csv --dry-run  ·  velella import products products.csv")
    def products(
        file: Path = typer.Argument(exists=True, dir_okay=False, readable=True, help="A CSV file with the columns of an export."),
        dry_run: bool = typer.Option(False, "--dry-run", help="Only look through the file."),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
        address: str | None = colony.Address,
    ) -> None:
        """Create and change products as a CSV file says. What is refused is listed by its line; the other products are imported.

        An import that was interrupted goes on with the same command: nothing is done twice. Exit code 1 where some were refused."""
        from .sheets import import_products

        if _with_shop(data_dir, database_url, address, lambda shop: import_products(shop, file, dry_run=dry_run)):
            raise typer.Exit(1)

    @imports.command(epilog="Example:  velella import shopify products_export.csv --currency eur")
    def shopify(
        file: Path = typer.Argument(exists=True, dir_okay=False, readable=True, help="The CSV file of Shopify's product export."),
        currency: str = typer.Option(..., help="The currency of its prices: eur, usd, …"),
        dry_run: bool = typer.Option(False, "--dry-run", help="Only look through the file."),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
        address: str | None = colony.Address,
    ) -> None:
        """Create the products of a Shopify shop, or change those with their handles, with variants, options, prices, pictures, types and
        tags. Stock, costs and sale prices (`Compare At Price`) stay behind."""
        from .sheets import import_shopify

        if _with_shop(data_dir, database_url, address, lambda shop: import_shopify(shop, file, currency.lower(), dry_run=dry_run)):
            raise typer.Exit(1)

    @imports.command(epilog="Example:  velella import medusa --from postgres://user:password@localhost/medusa --data-dir shop")
    def medusa(
        source: str = typer.Option(
            ...,
            "--from",
            callback=readable_url,
            help="Medusa's database, which is only read; - asks, or reads a pipe.",
        ),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
    ) -> None:
        """Bring a whole shop of Medusa v2 into one that isn't running: products, prices, stock, customers with their passwords, promotions,
        orders with their history. All ids stay.

        What a former import brought is replaced, so it may be tried, and repeated on the day; a shop that has orders of its own is refused.
        Afterwards rows and totals are compared. Exit code 1 where they differ."""
        if _import_medusa(data_dir, database_url, source):
            raise typer.Exit(1)

    @app.command(epilog="Examples:  velella export products products.csv  ·  velella export everything kept/")
    def export(
        what: Literal["products", "orders", "inventory-items", "everything"] = typer.Argument(help="Of what."),
        file: Path = typer.Argument(writable=True, help="The CSV file to write, which is replaced; of everything, a new folder."),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
        address: str | None = colony.Address,
    ) -> None:
        """Write products, orders or inventory items into a CSV file (docs/operations.md lists the columns), or everything that the shop
        keeps as JSON lines, a file for each kind of thing. Digests of passwords and keys stay in the shop; `velella backup` has them."""
        from .everything import export_everything
        from .sheets import export_to

        if what == "everything":
            _with_shop(data_dir, database_url, address, lambda shop: export_everything(shop, file))
        else:
            if file.is_dir():
                raise typer.BadParameter(f"{file} is a folder.", param_hint="FILE")
            _with_shop(data_dir, database_url, address, lambda shop: export_to(shop, what, file))


def _with_shop(data_dir: Path | None, database_url: str | None, address: str | None, work: Callable[[ShopHandle], Awaitable[R]]) -> R:
    settings = chosen_settings(data_dir, database_url)

    async def run() -> R:
        async with at_hand(settings, address, database_url) as shop:
            return await work(shop)

    return asyncio.run(run())


def _import_medusa(data_dir: Path | None, database_url: str | None, source: str) -> bool:
    """Bring over a shop of Medusa's. Returns whether something differs afterwards."""
    from ..actors.host import local_host
    from ..core.service import migrations
    from ..core.service.moving import refuse_others
    from .medusa.moving import move_in, report
    from .seeding import analyze

    settings = chosen_settings(data_dir, database_url)

    async def run() -> bool:
        async with database(settings) as ready:
            for url in migrations.databases(ready):
                await refuse_others(url)
            async with local_host(ready, visits=True) as host:
                counts = await move_in(host, source)
            await analyze(ready)
        console.print(report(counts))
        return bool(counts.differing() or counts.totals)

    with instance.held(settings):  # what is replaced mustn't be in use
        return asyncio.run(run())
