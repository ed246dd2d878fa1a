"""`velella import` and `velella export`: products, orders and inventory items from and to CSV files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Literal, TypeVar

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ..actors.host import local_host
from ..core.errors import NotFound
from ..core.ids import new_id
from ..core.sheets import Sheet
from ..core.sql.schema.query import Query
from ..modules.file.files import Files
from ..modules.file.provider import FileKey
from ..workflows.exporting import PAGE, Export
from ..workflows.inventory.exporting import ITEMS
from ..workflows.order.exporting import ORDERS
from ..workflows.product.exporting import PRODUCTS
from ..workflows.product.importing import MOST_REFUSALS, PartDone, SheetFile, Summary, import_part, looked_through, region_names
from ..workflows.product.sheet import PROFILE
from . import colony, instance
from .at_hand import ShopHandle, at_hand, chosen_settings
from .data import DatabaseUrl, DataDir, database
from .everything import export_everything
from .output import console
from .seeding import analyze
from .shopify import converted

R = TypeVar("R")
EXPORTED: dict[str, Export] = {"products": PRODUCTS, "orders": ORDERS, "inventory-items": ITEMS}
PIECE = 256 * 1024
COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())


def register(app: typer.Typer) -> None:
    imports = typer.Typer(help="Bring products into a shop.", no_args_is_help=True)
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
        """Create the products of a Shopify shop, with variants, options, prices, pictures, types and tags. Stock, costs and sale prices
        (`Compare At Price`) stay behind."""
        if _with_shop(data_dir, database_url, address, lambda shop: import_shopify(shop, file, currency.lower(), dry_run=dry_run)):
            raise typer.Exit(1)

    @imports.command(epilog="Example:  velella import medusa --from postgres://user:password@localhost/medusa --data-dir shop")
    def medusa(
        source: str = typer.Option(..., "--from", help="The URL of Medusa's database. It is only read."),
        data_dir: Path | None = DataDir,
        database_url: str | None = DatabaseUrl,
    ) -> None:
        """Bring a whole shop of Medusa v2 into one that isn't running: products, prices, stock, customers with their passwords, promotions,
        orders with their history. All ids stay.

        What a former import brought is replaced, so it may be tried, and repeated on the day; a shop that has orders of its own is refused.
        Afterwards rows and totals are compared. Exit code 1 where they differ."""
        if import_medusa(data_dir, database_url, source):
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


# -- in


def import_medusa(data_dir: Path | None, database_url: str | None, source: str) -> bool:
    """Bring over a shop of Medusa's. Returns whether something differs afterwards."""
    from .medusa.moving import move_in, report

    settings = chosen_settings(data_dir, database_url)

    async def run() -> bool:
        async with database(settings) as ready, local_host(ready, visits=True) as host:
            counts = await move_in(host, source)
            await analyze(ready)
        console.print(report(counts))
        return bool(counts.differing() or counts.totals)

    with instance.held(settings):  # what is replaced mustn't be in use
        return asyncio.run(run())


async def import_products(shop: ShopHandle, path: Path, *, dry_run: bool = False) -> int:
    """Import a file, part by part. A note beside it says which import is under way: where that was interrupted, it goes on.

    Returns how many products were refused.
    """
    files = Files.of(shop.settings)
    note = path.with_name(f".{path.name}.import")
    digest = await asyncio.to_thread(lambda: hashlib.sha256(path.read_bytes()).hexdigest()[:32])
    known = note.read_text().split() if note.exists() else []
    transaction = known[1] if known[:1] == [digest] else new_id("import")
    name = f"{transaction.lower().replace('_', '-')}.csv"
    try:
        await files.store(path.name, "text/csv", _pieces(path), "private", name=name)
        try:
            sheet, summary = await looked_through(files, name, "private", await region_names(shop))
            console.print(f"{path}: {summary['toCreate']} products to create, {summary['toUpdate']} to update.")
            if not dry_run:
                note.write_text(f"{digest} {transaction}")
                refused = await _parts(shop, sheet, summary, transaction)
                note.unlink()
                return refused
            return 0
        finally:
            await files.provider.delete(FileKey(name, "private"))
    finally:
        await files.provider.close()


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


async def _parts(shop: ShopHandle, sheet: SheetFile, summary: Summary, transaction: str) -> int:
    total = PartDone(created=0, updated=0, refused=[], line=sheet["line"], offset=sheet["offset"])
    count = 0
    with Progress(*COLUMNS, console=console, transient=True) as progress:
        task = progress.add_task("Importing products", total=summary["toCreate"] + summary["toUpdate"])
        while total["offset"] is not None:
            part = f"{transaction}:{total['offset']}"
            done = await shop.run(import_part, part=part, file=sheet, line=total["line"], offset=total["offset"])
            for refusal in done["refused"]:
                count += 1
                if count <= MOST_REFUSALS:
                    console.print(f"[red]line {refusal[0]}[/]: {refusal[1]}")
            total["created"] += done["created"]
            total["updated"] += done["updated"]
            total["line"], total["offset"] = done["line"], done["offset"]
            progress.advance(task, done["created"] + done["updated"] + len(done["refused"]))
    console.print(f"{total['created']} created, {total['updated']} updated, {count} refused.")
    return count


async def import_shopify(shop: ShopHandle, path: Path, currency: str, *, dry_run: bool = False) -> int:
    """Rewrite Shopify's file with our columns, beside it, and import that. The products are sold in the store's default channel, and sent
    by the default shipping profile. Returns how many were refused."""
    if not await shop.modules.currency.list("currency", {"code": currency}, fields=("code",)):
        raise NotFound(f"There is no currency {currency}.", hint="Three letters, as in eur.")
    stores = await shop.modules.store.list("store", fields=("default_sales_channel_id",), limit=1)
    profiles = await shop.modules.fulfillment.list("shipping_profile", {"type": "default"}, fields=("id",), limit=1)
    shared = {"Product Sales Channel 1": stores[0]["default_sales_channel_id"] if stores else None}
    shared[PROFILE] = profiles[0]["id"] if profiles else None
    target = path.with_name(f"{path.stem}.velella.csv")
    named = await asyncio.to_thread(converted, path, target, currency, {name: id for name, id in shared.items() if id})
    console.print(f"{path}: {named.products} products, rewritten into {target}.")
    if not dry_run:
        types = await _values(shop, "product_type", named.types)
        await _values(shop, "product_tag", named.tags)
        await asyncio.to_thread(named.rewrite_types, target, types)
    return await import_products(shop, target, dry_run=dry_run)


async def _values(shop: ShopHandle, entity: str, values: set[str]) -> dict[str, str]:
    """The ids of types or tags, by their values; what is missing is created."""
    wanted = sorted(values)
    there: dict[str, str] = {}
    for first in range(0, len(wanted), 500):
        some = wanted[first : first + 500]
        rows = await shop.modules.product.list(entity, {"value": some}, fields=("id", "value"))
        known = {row["value"] for row in rows}
        missing = [{"value": value} for value in some if value not in known]
        made = await shop.modules.product.create(entity, missing) if missing else []
        there.update({row["value"]: row["id"] for row in [*rows, *made]})
    return there


# -- out


async def export_to(shop: ShopHandle, what: str, path: Path) -> None:
    """Write a whole export into a file; it is there as a whole, or as it was."""
    export = EXPORTED[what]
    sheet, last = Sheet(export.columns, export.order), ""
    total = (await shop.graph.query(Query(export.entity, ("id",), export.filters, limit=1, count=True))).count
    draft = path.with_name(f".{path.name}.part")
    try:
        with Progress(*COLUMNS, console=console, transient=True) as progress:
            task = progress.add_task(f"Exporting {export.plural}", total=total)
            while True:
                conditions = {"$and": [export.filters, {"id": {"$gt": last}}]}
                page = await shop.graph.rows(Query(export.entity, tuple(dict.fromkeys(("id", *export.fields))), conditions, ("id",), PAGE))
                if not page:
                    break
                last, count = page[-1]["id"], len(page)
                sheet.add(await export.rows(shop, page))
                progress.advance(task, count)
        with draft.open("wb") as file:
            async for piece in sheet.pieces():
                file.write(piece)
        draft.replace(path)
    finally:
        sheet.close()
        draft.unlink(missing_ok=True)
    console.print(f"{path}: {sheet.count} rows.")
