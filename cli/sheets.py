"""Products, orders and inventory items from and to CSV files: the work of `velella import` and `velella export`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

from ..core.errors import GoesOn, NotFound
from ..core.ids import new_id
from ..core.sql.schema.query import Query
from ..modules.file.files import Files
from ..modules.file.provider import FileKey
from ..workflows.exporting import Export, filled
from ..workflows.inventory.exporting import ITEMS
from ..workflows.order.exporting import ORDERS
from ..workflows.product.exporting import PRODUCTS
from ..workflows.product.importing import MOST_REFUSALS, PartDone, SheetFile, Summary, import_part, looked_through, region_names
from ..workflows.product.sheet import PROFILE
from .at_hand import ShopHandle
from .output import console, progress
from .shopify import converted

EXPORTED: dict[str, Export] = {"products": PRODUCTS, "orders": ORDERS, "inventory-items": ITEMS}
PIECE = 256 * 1024
AGAIN_SECONDS = 1.0
"""Between two questions after a part that goes on."""


# -- in


async def import_products(shop: ShopHandle, path: Path, *, dry_run: bool = False) -> int:
    """Import a file, part by part. A note beside it says which import is under way: where that was interrupted, it goes on.

    The shop's processes read a copy of the file, which stays until all parts are over. Returns how many products were refused.
    """
    files = Files.of(shop.settings)
    note = path.with_name(f".{path.name}.import")
    digest = await asyncio.to_thread(_digest, path)
    known, under_way = _noted(note)
    transaction = under_way if known == digest else new_id("import")
    try:
        if under_way not in ("", transaction) and not dry_run:  # the file was changed since
            await files.provider.delete(copy_of(under_way))
        copy, goes_on = copy_of(transaction), transaction == under_way
        try:
            await files.store(path.name, "text/csv", _pieces(path), "private", name=copy.name)
            sheet, summary = await looked_through(files, copy.name, "private", await region_names(shop))
            console.print(f"{path}: {summary['toCreate']} products to create, {summary['toUpdate']} to update.")
            if dry_run:
                return 0
            _note(note, f"{digest} {transaction}")
            goes_on = True
            refused = await _parts(shop, sheet, summary, transaction)
            goes_on = False
        finally:
            if not goes_on:
                await files.provider.delete(copy)
        note.unlink()
        return refused
    finally:
        await files.provider.close()


def _noted(note: Path) -> tuple[str, str]:
    """The digest of the file that is being imported, and under which name; nothing where no note is whole."""
    words = note.read_text(errors="replace").split() if note.exists() else []
    return (words[0], words[1]) if len(words) == 2 else ("", "")


def _note(note: Path, text: str) -> None:
    draft = note.with_name(f"{note.name}.part")
    try:
        draft.write_text(text)
        draft.replace(note)
    finally:
        draft.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def copy_of(transaction: str) -> FileKey:
    return FileKey(f"{transaction.lower().replace('_', '-')}.csv", "private")


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


async def _parts(shop: ShopHandle, sheet: SheetFile, summary: Summary, transaction: str) -> int:
    total = PartDone(created=0, updated=0, refused=[], line=sheet["line"], offset=sheet["offset"])
    count = 0
    with progress() as bars:
        task = bars.add_task("Importing products", total=summary["toCreate"] + summary["toUpdate"])
        while total["offset"] is not None:
            part = f"{transaction}:{total['offset']}"
            done = await _to_its_end(shop, part=part, file=sheet, line=total["line"], offset=total["offset"])
            for refusal in done["refused"]:
                count += 1
                if count <= MOST_REFUSALS:
                    console.print(f"[red]line {refusal[0]}[/]: {refusal[1]}")
            total["created"] += done["created"]
            total["updated"] += done["updated"]
            total["line"], total["offset"] = done["line"], done["offset"]
            bars.advance(task, done["created"] + done["updated"] + len(done["refused"]))
    console.print(f"{total['created']} created, {total['updated']} updated, {count} refused.")
    return count


async def _to_its_end(shop: ShopHandle, **part: Any) -> PartDone:
    """Carry out a part, however long it takes: under its key it is one, whoever asks for it again."""
    while True:
        try:
            return await shop.run(import_part, **part)
        except GoesOn as error:
            await asyncio.sleep(min(error.retry_after, AGAIN_SECONDS))


async def import_shopify(shop: ShopHandle, path: Path, currency: str, *, dry_run: bool = False) -> int:
    """Rewrite Shopify's file with our columns, beside it, and import that. Products that the shop has, by their handles, are changed; new
    ones are sold in the store's default channel, and sent by the default shipping profile. Returns how many were refused."""
    if not await shop.modules.currency.list("currency", {"code": currency}, fields=("code",)):
        raise NotFound(f"There is no currency {currency}.", hint="Three letters, as in eur.")
    stores = await shop.modules.store.list("store", fields=("default_sales_channel_id",), limit=1)
    profiles = await shop.modules.fulfillment.list("shipping_profile", {"type": "default"}, fields=("id",), limit=1)
    defaults = {"Product Sales Channel 1": stores[0]["default_sales_channel_id"] if stores else None}
    defaults[PROFILE] = profiles[0]["id"] if profiles else None
    shared = {name: id for name, id in defaults.items() if id}
    target = path.with_name(f"{path.stem}.velella.csv")
    named = await asyncio.to_thread(converted, path, target, currency, shared)
    console.print(f"{path}: {len(named.products)} products, rewritten into {target}.")
    types: dict[str, str] = {}
    if not dry_run:
        types = await _values(shop, "product_type", named.types)
        await _values(shop, "product_tag", named.tags)
    await asyncio.to_thread(named.rewrite, target, types, await _handles(shop, list(named.products)), shared)
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


async def _handles(shop: ShopHandle, handles: list[str]) -> dict[str, str]:
    """The ids of products that the shop has, by their handles."""
    there: dict[str, str] = {}
    for first in range(0, len(handles), 500):
        rows = await shop.modules.product.list("product", {"handle": handles[first : first + 500]}, fields=("id", "handle"))
        there.update({row["handle"]: row["id"] for row in rows})
    return there


# -- out


async def export_to(shop: ShopHandle, what: str, path: Path) -> None:
    """Write a whole export into a file; it is there as a whole, or as it was."""
    export = EXPORTED[what]
    total = (await shop.graph.query(Query(export.entity, ("id",), export.filters, limit=1, count=True))).count
    draft = path.with_name(f".{path.name}.part")
    try:
        with progress() as bars:
            task = bars.add_task(f"Exporting {export.plural}", total=total)
            sheet = await filled(shop, export, export.fields, passed=lambda count: bars.advance(task, count))
        with closing(sheet), draft.open("wb") as file:
            async for piece in sheet.pieces():
                file.write(piece)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    console.print(f"{path}: {sheet.count} rows.")
