"""Products out of a CSV file: looked through when it comes, carried out once a merchant confirms, a hundred products at a time."""

from __future__ import annotations

from contextlib import aclosing
from typing import Final, TypedDict

from ...core.errors import InvalidData, NotAnswered, VelellaError
from ...core.rows import Row
from ...core.sheets import LONGEST, Position, Record, read_records
from ...modules.file.files import Files
from ...modules.file.provider import Access, FileKey
from ..exporting import Shop
from ..feed import tell
from ..kit import Flow, Retry, Waits, step, workflow
from .products import batch_products
from .sheet import ProductColumns, SheetProduct, named_regions

AT_ONCE: Final = 100
"""Products of a part: created and changed together, or one after the other where one of them is refused. Fewer, where they have more than
`PART_ROWS` or `PART_BYTES`."""
PART_ROWS: Final = 1000
PART_BYTES: Final = 4 * 1024 * 1024
MOST_PRODUCTS: Final = 500_000
"""Of one file: their names are kept until all of it is looked through."""
MOST_REFUSALS: Final = 100
"""Refused products that are listed; the others are counted."""
CONFIRM_SECONDS: Final = 3600.0
IMPORT_SECONDS: Final = 86_400.0
AGAIN: Final = Retry(interval=5.0, factor=4.0, most=600.0, during=3600.0)
"""When a part is carried out again that failed for other reasons than what is in it: a database or a file was out of reach."""


class Summary(TypedDict):
    toCreate: int
    toUpdate: int


class SheetFile(TypedDict):
    """A file that is imported."""

    id: str
    access: Access
    columns: list[str]
    delimiter: str
    line: int
    """Where its second row begins."""
    offset: int


class PartDone(TypedDict):
    created: int
    updated: int
    refused: list[list[str]]
    """Line and reason."""
    line: int
    offset: int | None
    """Where the next part begins; None after the last one."""


# -- looking through a file


async def looked_through(files: Files, id: str, access: Access, regions: dict[str, str]) -> tuple[SheetFile, Summary]:
    """What a file is, and what importing it would do. Reads all of it and writes nothing.

    Raises InvalidData for the first row that can't be read, and for products whose rows don't stand together.
    """
    key = FileKey(id, access)
    sheet = await _opened(files, key)
    columns = ProductColumns(sheet["columns"], regions, delimiter=sheet["delimiter"])
    summary = Summary(toCreate=0, toUpdate=0)
    seen: set[str] = set()
    open: SheetProduct | None = None

    def count(product: SheetProduct) -> None:
        if product.key in seen:
            raise InvalidData(f"Line {product.at.line}: the rows of {product.key} don't stand together")
        seen.add(product.key)
        if len(seen) > MOST_PRODUCTS:
            raise InvalidData(f"Line {product.at.line}: a file may have {MOST_PRODUCTS} products")
        summary["toUpdate" if product.id else "toCreate"] += 1

    start = Position(sheet["offset"], sheet["line"])
    async with aclosing(files.provider.read(key, start.offset)) as chunks:
        async for records in read_records(chunks, delimiter=sheet["delimiter"], start=start):
            for product in columns.products(records, open):
                if open is not None and product is not open:
                    count(open)
                open = product
    if open is None:
        raise InvalidData("There are no products in the file")
    count(open)
    return sheet, summary


async def _opened(files: Files, key: FileKey) -> SheetFile:
    """A file's columns, and where its second row begins."""
    delimiter = await _delimiter(files, key)
    first: list[Record] = []
    async with aclosing(files.provider.read(key)) as chunks, aclosing(read_records(chunks, delimiter=delimiter)) as pages:
        async for records in pages:
            first += records[: 2 - len(first)]
            if len(first) == 2:
                break
    if len(first) < 2:
        raise InvalidData("There are no products in the file")
    columns, begins = first[0].cells, first[1].at
    while columns and not columns[-1]:
        columns.pop()
    return SheetFile(id=key.name, access=key.access, columns=columns, delimiter=delimiter, line=begins.line, offset=begins.offset)


async def _delimiter(files: Files, key: FileKey) -> str:
    """A semicolon, as spreadsheets write it where a comma stands in numbers, or a comma: of which the first line has more."""
    head = b""
    async with aclosing(files.provider.read(key)) as chunks:
        async for chunk in chunks:
            head += chunk
            if b"\n" in chunk or len(head) > LONGEST:
                break
    line = head.partition(b"\n")[0]
    return ";" if line.count(b";") > line.count(b",") else ","


# -- a part


@workflow("import-products-part", durable=True, key="part", timeout=600.0)
async def import_part(flow: Flow, part: str, file: SheetFile, line: int, offset: int) -> PartDone:
    """Create and change the next products of a file. `part` names this one. What is refused is left out, with its line.

    Reads a file that never changes, so that a repeated run sees the same.
    """
    products, after = await _next_products(flow, file, Position(offset, line))
    done = PartDone(created=0, updated=0, refused=[], line=after.line if after else line, offset=after.offset if after else None)
    inputs = await _inputs(flow, products)
    try:
        await _write(flow, inputs)
    except VelellaError as error:
        if not error.refuses:
            raise
        for each in inputs:
            try:
                await _write(flow, [each])
            except VelellaError as refusal:
                if not refusal.refuses:
                    raise
                done["refused"].append([str(each[0].line_of(refusal.message)), refusal.message])
            else:
                _count(done, [each])
    else:
        _count(done, inputs)
    return done


Input = tuple[SheetProduct, Row | InvalidData]


def _count(done: PartDone, inputs: list[Input]) -> None:
    changed = sum(1 for product, _ in inputs if product.id)
    done["updated"] += changed
    done["created"] += len(inputs) - changed


async def _write(flow: Flow, inputs: list[Input]) -> None:
    """Raises what one of the inputs is refused with."""
    rows: list[Row] = []
    for _, given in inputs:
        if isinstance(given, InvalidData):
            raise given
        rows.append(given)
    create, update = [row for row in rows if "id" not in row], [row for row in rows if "id" in row]
    await flow.run(batch_products, create=create, update=update)


async def _next_products(flow: Flow, file: SheetFile, start: Position) -> tuple[list[SheetProduct], Position | None]:
    """The next products from a position on, and where those after them begin."""
    regions = await region_names(flow)
    columns = ProductColumns(file["columns"], regions, delimiter=file["delimiter"])
    files = Files.of(flow.settings)
    done: list[SheetProduct] = []
    rows = 0
    open: SheetProduct | None = None
    chunks = files.provider.read(FileKey(file["id"], file["access"]), start.offset)
    try:
        async with aclosing(chunks), aclosing(read_records(chunks, delimiter=file["delimiter"], start=start)) as pages:
            async for records in pages:
                for product in columns.products(records, open):
                    if open is not None and product is not open:
                        done.append(open)
                        rows += open.rows
                    open = product
                    if done and (len(done) == AT_ONCE or rows >= PART_ROWS or open.at.offset - start.offset >= PART_BYTES):
                        return done, open.at
    finally:
        await files.provider.close()
    return [*done, open] if open is not None else done, None


async def region_names(shop: Shop) -> dict[str, str]:
    """What stands in the names of columns for regions: see `named_regions`."""
    return named_regions(await shop.modules.region.list("region", fields=("id", "name")))


async def _inputs(flow: Flow, products: list[SheetProduct]) -> list[Input]:
    """The products as flows take them: tags by id."""
    named = list({tag for product in products for tag in product.listed("tags")})
    where = {"$or": [{"id": named}, {"value": named}]}
    tags = await flow.modules.product.list("product_tag", where, fields=("id", "value")) if named else []
    ids = {name: tag["id"] for tag in tags for name in (tag["value"], tag["id"])}
    return [(product, _input(product, ids)) for product in products]


def _input(product: SheetProduct, tags: dict[str, str]) -> Row | InvalidData:
    lost = [tag for tag in product.listed("tags") if tag not in tags]
    if lost:
        return InvalidData(f"Tag with value {lost[0]} not found")
    if product.twice is not None:
        return InvalidData(f'The option "{product.twice[:80]}" is named twice by a row')
    given = dict(product.given)
    if product.lists.get("images"):
        given["images"] = [{"url": url} for url in product.listed("images")]
    for member in ("tags", "categories", "sales_channels"):
        if listed := product.listed(member):
            given[member] = [{"id": id} for id in dict.fromkeys(tags[each] if member == "tags" else each for each in listed)]
    if not product.id:
        options = [{"id": option.id} if option.id is not None else option.given for option in product.options.values()]
        return {**given, "variants": product.variants, "options": options}
    if product.variants:
        given["more_variants"] = [_without_loss(variant) for variant in product.variants]
    if product.options:
        given["more_options"] = [option.given for option in product.options.values()]
    return given


def _without_loss(variant: Row) -> Row:
    """A variant of a product that is changed: a file takes no price away, since not every price has a column."""
    if "prices" not in variant:
        return variant
    return {**{name: value for name, value in variant.items() if name != "prices"}, "more_prices": variant["prices"]}


# -- the whole


@step(waits=Waits(timeout=CONFIRM_SECONDS), name="wait-confirmation-product-import")
async def wait_for_confirmation(flow: Flow) -> None:
    """Nobody is asked: the merchant sees the summary, and confirms or forgets it."""


@step(retry=Retry(times=5))
async def delete_file(flow: Flow, id: str) -> None:
    await flow.modules.file.delete_files([id])


async def _import(flow: Flow, transaction_id: str, filename: str, file: SheetFile) -> Row:
    title = "Product import"
    try:
        await flow.run(wait_for_confirmation)
    except NotAnswered:
        await flow.run(tell, title, f"The import of {filename} was not confirmed within an hour: nothing was changed.")
        return {"created": 0, "updated": 0, "refused": 0}
    created = updated = refused = 0
    listed: list[list[str]] = []
    line, offset = file["line"], file["offset"]
    at: int | None = offset
    while at is not None:
        try:
            done = await flow.call(import_part, retry=AGAIN, part=f"{transaction_id}:{at}", file=file, line=line, offset=at)
        except VelellaError as error:
            where = f"Failed to import products from file {filename}: it ended before line {line} ({error.message})."
            await flow.run(tell, title, f"{where} {_told(created, updated, refused, listed)}")
            raise
        created, updated, refused = created + done["created"], updated + done["updated"], refused + len(done["refused"])
        listed += done["refused"][: MOST_REFUSALS - len(listed)]
        line, at = done["line"], done["offset"]
    outcome = "completed successfully!" if not refused else "completed, but for what was refused."
    await flow.run(tell, title, f"Product import of file {filename} {outcome} {_told(created, updated, refused, listed)}")
    return {"created": created, "updated": updated, "refused": refused}


def _told(created: int, updated: int, refused: int, listed: list[list[str]]) -> str:
    told = f"{created} created, {updated} updated, {refused} refused."
    lines = "\n".join(f"Line {line}: {reason}" for line, reason in listed)
    return f"{told}\n{lines}" if lines else told


@workflow("import-products-as-chunks", durable=True, key="transaction_id", timeout=IMPORT_SECONDS)
async def import_products_as_chunks(flow: Flow, transaction_id: str, filename: str, file: SheetFile) -> Row:
    """Import a file that was uploaded, once it is confirmed. Returns how many products were created, updated and refused.

    A process that dies leaves nothing half done and nothing done twice: a part is an execution of its own, by its own key.
    """
    return await _import(flow, transaction_id, filename, file)


@workflow("import-products", durable=True, key="transaction_id", timeout=IMPORT_SECONDS)
async def import_products(flow: Flow, transaction_id: str, filename: str, file: SheetFile) -> Row:
    """`import_products_as_chunks` of a file that came with the request: it is deleted at the end."""
    try:
        done = await _import(flow, transaction_id, filename, file)
    except VelellaError:
        await flow.run(delete_file, file["id"])
        raise
    await flow.run(delete_file, file["id"])
    return done
