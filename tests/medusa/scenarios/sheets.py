"""Products come in from spreadsheets, old way and new, and exports are asked for."""

from __future__ import annotations

import asyncio
from typing import Any

from ..ground import Api

COLUMNS = "Product Handle,Product Title,Product Subtitle,Product Status,Product Discountable,Variant Title,Variant SKU"
COLUMNS += ",Variant Manage Inventory,Variant Price EUR,Variant Price USD,Variant Option 1 Name,Variant Option 1 Value"
SHOW = "fields=title,subtitle,handle,status,discountable,*options,*options.values,*variants,*variants.options,*variants.prices"


def sheet(api: Api, name: str, *rows: str, columns: str = COLUMNS) -> str:
    """Rows of one product."""
    return "\n".join((columns, *(f"{api.fresh(name)},{name},{row}" for row in rows))) + "\n"


async def run(api: Api) -> None:
    path = "/products/import"
    mug = sheet(
        api,
        "mug",
        *(f"Blue,published,true,{size},{api.fresh(size)},false,{price},{price}5,Size,{size}" for size, price in (("S", 10), ("L", 12))),
    )
    given = await api.upload(path, mug)
    assert given["summary"] == {"toCreate": 1, "toUpdate": 0}, given
    await api.admin("GET", f"/products?handle={api.fresh('mug')}&{SHOW}")
    await api.admin("POST", f"{path}/{given['transaction_id']}/confirm")
    product = await _there(api, "mug")
    await api.admin("GET", f"/products/{product}?{SHOW}")

    variants = (await api.quiet("GET", f"/admin/products/{product}?fields=variants.id,variants.title"))["product"]["variants"]
    rows = (f"{product},{api.fresh('mug')},Mug,Green,published,{each['id']},{each['title']},Size,{each['title']}" for each in variants)
    columns = "Product Id,Product Handle,Product Title,Product Subtitle,Product Status,Variant Id,Variant Title"
    only = "\n".join((f"{columns},Variant Option 1 Name,Variant Option 1 Value", *rows)) + "\n"
    given = await api.upload(path, only)
    await api.admin("POST", f"{path}/{given['transaction_id']}/confirm")
    await _until(api, f"/products/{product}?fields=subtitle", lambda answer: answer["product"]["subtitle"] == "Green")
    await api.admin("GET", f"/products/{product}?{SHOW}")

    await api.admin("POST", path)
    await api.upload(path, "")
    await api.upload(path, "Product Handle\n")
    await api.upload(path, "Product Handle,Product Colour\nmug,red\n")
    await api.upload(path, "Product Title,Variant Title\nMug,S\n")
    await api.upload(path, sheet(api, "cup", "Red,published,true,S,,false,ten,20,Size,S"))
    await api.upload(path, sheet(api, "cup", "Red,published,perhaps,S,,false,10,20,Size,S"))
    await api.admin("POST", f"{path}/nothing/confirm")

    cup = sheet(api, "cup", f"Red,published,true,S,{api.fresh('cup')},false,10,20,Size,S")
    [kept] = (await api.upload("/uploads", cup))["files"]
    body = {"file_key": kept["id"], "originalname": "cups.csv", "extension": "csv", "size": len(cup), "mime_type": "text/csv"}
    await api.admin("POST", "/products/imports", {})
    given = await api.admin("POST", "/products/imports", body)
    await api.admin("POST", f"/products/imports/{given['transaction_id']}/confirm")
    product = await _there(api, "cup")
    await api.admin("GET", f"/products/{product}?{SHOW}")

    await api.admin("POST", "/products/export")
    await api.admin("POST", "/products/export", {})
    await api.admin("POST", f"/products/export?handle={api.fresh('mug')}", {})
    await api.admin("POST", "/orders/export", {})


async def _there(api: Api, name: str) -> str:
    """The product's id, once its prices are there, too."""
    path = f"/products?handle={api.fresh(name)}&fields=id,*variants.prices"
    answer = await _until(api, path, lambda answer: any(each.get("prices") for row in answer["products"] for each in row["variants"]))
    return str(answer["products"][0]["id"])


async def _until(api: Api, path: str, so: Any) -> Any:
    for _ in range(200):
        if so(answer := await api.quiet("GET", "/admin" + path)):
            return answer
        await asyncio.sleep(0.1)
    raise TimeoutError(path)
