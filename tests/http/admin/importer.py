"""Imports and exports of CSV files, as a merchant does them."""

from __future__ import annotations

import asyncio
import csv
import io
from contextlib import aclosing
from typing import Any

from velella.cli.at_hand import ShopHandle
from velella.core.errors import NotFound
from velella.core.ids import ulid
from velella.modules.file.files import Files
from velella.modules.file.provider import FileKey

from ..conftest import Client, Shop
from .conftest import Merchant
from .test_uploads import form, shown

Row = dict[str, Any]
HEAD = "Product Handle,Product Title,Variant Title,Variant SKU,Variant Price EUR,Variant Option 1 Name,Variant Option 1 Value"


def called() -> str:
    return f"buoy-{ulid().lower()}"


def sheet(head: str, *rows: str) -> bytes:
    return "\n".join((head, *rows, "")).encode()


class Importer:
    def __init__(self, admin: Client, merchant: Merchant, shop: Shop) -> None:
        self.admin, self.merchant, self.shop = admin, merchant, shop

    async def upload(self, lines: bytes) -> str:
        answer = await self.admin("POST", "/admin/uploads", data=form(("products.csv", lines, "application/vnd.ms-excel")))
        assert answer.status == 200, answer.text
        return str(answer.json["files"][0]["id"])

    async def begin(self, lines: bytes) -> Any:
        about = {"file_key": await self.upload(lines), "originalname": "products.csv", "extension": "csv"}
        return await self.admin("POST", "/admin/products/imports", {**about, "size": len(lines), "mime_type": "text/csv"})

    async def run(self, lines: bytes) -> tuple[Row, Row]:
        """Import a file. Returns the summary before, and what came of it."""
        begun = await self.begin(lines)
        assert begun.status == 202, begun.text
        id = begun.json["transaction_id"]
        assert (await self.confirm(id)).status == 202
        await self.ended("import-products-as-chunks", id)
        return begun.json["summary"], await self.told(lambda note: "products.csv" in note["description"])

    async def files(self, filename: str) -> list[Row]:
        """The files that came under this name and are still there."""
        return await self.shop.host.modules.file.list("file", {"filename": filename})

    async def confirm(self, id: str) -> Any:
        return await self.admin("POST", f"/admin/products/imports/{id}/confirm")

    async def ended(self, workflow: str, id: str) -> Row:
        while True:
            execution = await self.execution(workflow, id)
            if execution["state"] not in ("invoking", "compensating"):
                assert execution["state"] == "done", execution
                return dict(execution)
            await asyncio.sleep(0.05)

    async def execution(self, workflow: str, id: str) -> Row:
        return dict((await self.merchant.get(f"/admin/workflows-executions/{workflow}/{id}"))["workflow_execution"])

    async def told(self, is_meant: Any) -> Row:
        """The newest note of the feed that is meant."""
        rows = (await self.merchant.get("/admin/notifications", channel="feed", order="-created_at", limit="20"))["notifications"]
        return next(dict(row["data"]) for row in rows if is_meant(row["data"]))

    async def product(self, handle: str, fields: str = "") -> Row:
        [product] = (await self.merchant.get("/admin/products", handle=handle, **({"fields": fields} if fields else {})))["products"]
        return dict(product)

    async def exported(self, what: str, **params: str) -> bytes:
        answer = await self.admin("POST", f"/admin/{what}/export", params=params)
        assert answer.status == 202, answer.text
        workflow = f"export-{what}"
        await self.ended(workflow, answer.json["transaction_id"])
        note = await self.told(lambda note: note["title"].lower().startswith(what.split("-")[0].rstrip("s")) and "file" in note)
        status, headers, content = await shown(self.admin, note["file"]["url"])
        assert (status, headers["Content-Type"].partition(";")[0]) == (200, "text/csv")
        return content

    async def export(self, what: str, **params: str) -> list[Row]:
        return list(csv.DictReader(io.StringIO((await self.exported(what, **params)).decode("utf-8-sig"))))


async def is_stored(handle: ShopHandle, key: FileKey) -> bool:
    try:
        async with aclosing(Files.of(handle.settings).provider.read(key)) as chunks:
            return bool([chunk async for chunk in chunks])
    except NotFound:
        return False
