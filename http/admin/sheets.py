"""Admin: CSV files of products, orders and inventory items: exports, and imports of products."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ...core.errors import GoesOn, InvalidData, NotFound, VelellaError
from ...core.ids import new_id
from ...core.rows import Row
from ...workflows.inventory.exporting import export_inventory_items
from ...workflows.kit import Workflow
from ...workflows.order.exporting import export_orders
from ...workflows.product.exporting import export_products
from ...workflows.product.importing import SheetFile, Summary, import_products, import_products_as_chunks, looked_through, region_names
from ..kit.bodies import Body, Number
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from .inventory_items import ITEM, ITEMS
from .orders import ORDERS_EXPORTED, ORDERS_FILTERS
from .products import PRODUCT, PRODUCTS
from .uploads import parts, receiving, within

routes = Routes()


# -- exports


@routes.post("/admin/products/export", query=PRODUCTS, returns=PRODUCT, many=True, status=202, envelope="transaction_id")
async def export_of_products(request: Request) -> Answer:
    """Write products into a CSV file, in the background: the dashboard's feed leads to it."""
    ours = ("shipping_profile.id", "categories.id") if request.fields == PRODUCT.defaults else ()
    return {"transaction_id": await request.start(export_products, select=[*request.fields, *ours], filter=request.filters)}


@routes.post("/admin/orders/export", query=ORDERS_FILTERS, returns=ORDERS_EXPORTED, many=True, status=202, envelope="transaction_id")
async def export_of_orders(request: Request) -> Answer:
    """Write orders into a CSV file, in the background: the dashboard's feed leads to it."""
    return {"transaction_id": await request.start(export_orders, filter=request.filters)}


@routes.post("/admin/inventory-items/export", query=ITEMS, returns=ITEM, many=True, status=202, envelope="transaction_id")
async def export_of_inventory_items(request: Request) -> Answer:
    """Write inventory items with their levels into a CSV file, in the background: the dashboard's feed leads to it."""
    return {"transaction_id": await request.start(export_inventory_items, filter=request.filters)}


# -- imports


class ImportProducts(Body):
    file_key: str
    originalname: str
    extension: str
    size: Number
    mime_type: str


@routes.post("/admin/products/imports", body=ImportProducts, query=None, status=202, envelope="transaction_id summary")
async def import_of_products(request: Request) -> Answer:
    """Look through a CSV file that was uploaded, for an import that has to be confirmed."""
    file = await request.modules.file.list("file", {"id": request.body["file_key"]}, fields=("id", "access"))
    if not file:
        raise NotFound(f"File with id: {request.body['file_key']} was not found")
    looked = await looked_through(request.files, file[0]["id"], file[0]["access"], await region_names(request))
    return await _begun(request, import_products_as_chunks, request.body["originalname"], *looked)


@routes.post("/admin/products/import", query=None, status=202, envelope="transaction_id summary", streams=True)
async def import_of_received_products(request: Request) -> Answer:
    """Look through a CSV file that comes with the request (`multipart/form-data`, as `file`), for an import that has to be confirmed."""
    async with request.files.batch(request.modules.file.record) as batch:  # which drops it where it can't be looked through
        async with receiving(request):
            async for part in parts(request, "file"):
                if batch.rows:
                    raise InvalidData("One file is imported at a time")
                chunks = within(part, request.settings.import_limit)
                await batch.store(part.filename or "", "text/csv", chunks, "private", created_by=request.actor_id)
        if not batch.rows:
            raise InvalidData("No file was uploaded for importing")
        [row] = batch.rows
        looked = await looked_through(request.files, row["id"], "private", await region_names(request))
    try:
        return await _begun(request, import_products, row["filename"], *looked)
    except VelellaError:  # should it have begun all the same, nobody knows how to confirm it
        await request.modules.file.delete_files([row["id"]])
        raise


async def _begun(request: Request, workflow: Workflow[..., Any], filename: str, file: SheetFile, summary: Summary) -> Row:
    transaction = new_id("import")
    with suppress(GoesOn):  # once it waits for its confirmation
        await request.run(workflow, transaction_id=transaction, filename=filename, file=file)
    return {"transaction_id": transaction, "summary": summary}


CONFIRMATION = "wait-confirmation-product-import"


@routes.post("/admin/products/imports/{transaction_id}/confirm", query=None, status=202)
async def confirm_import(request: Request) -> Answer:
    """Carry out an import that was looked through."""
    await request.workflows.set_step_success(import_products_as_chunks.name, request.params["transaction_id"], CONFIRMATION)
    return {}


@routes.post("/admin/products/import/{transaction_id}/confirm", query=None, status=202)
async def confirm_received_import(request: Request) -> Answer:
    """Carry out an import that was looked through."""
    await request.workflows.set_step_success(import_products.name, request.params["transaction_id"], CONFIRMATION)
    return {}
