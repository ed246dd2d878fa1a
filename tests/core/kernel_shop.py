"""A small module for the kernel's tests: brands, products with variants and tags, prices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import ARRAY, Boolean, Column, ForeignKey, Index, Integer, Table, Text, bindparam, func, insert, select, text, update

from velella.core.errors import NotAllowed
from velella.core.message import writes
from velella.core.service.context import ModuleContext
from velella.core.service.module import ModuleService
from velella.core.service.providers import Providers
from velella.core.settings import Settings
from velella.core.sql.db.compiled import answering, array_param
from velella.core.sql.db.database import Database
from velella.core.sql.schema.columns import Json, Money, identity, metadata_column, module_metadata, timestamps, version
from velella.core.sql.schema.definition import definition
from velella.core.sql.schema.deltas import keep_deltas
from velella.core.sql.schema.entity import Entity, many, one, through
from velella.core.sql.schema.schema import Schema

metadata = module_metadata()

brand = Table("brand", metadata, identity(), Column("name", Text, nullable=False), *timestamps())
product = Table(
    "product",
    metadata,
    identity(),
    Column("title", Text, nullable=False),
    Column("handle", Text),
    Column("status", Text, nullable=False, default="draft"),
    Column("brand_id", Text, ForeignKey("brand.id")),
    Column("rank", Integer),
    Column("weight", Money),
    Column("giftcard", Boolean, nullable=False, server_default="false"),
    Column("labels", ARRAY(Text), server_default=text("'{new}'")),
    Column("data", Json),
    Column("secret", Text),
    metadata_column(),
    version(),
    *timestamps(),
    Index("uq_product_handle", "handle", unique=True, postgresql_where=text("deleted_at IS NULL")),
)
keep_deltas(product, "title", "status", "rank", "created_at")
channel_pair = Table(
    "product_channel",
    metadata,
    Column("product_id", Text, primary_key=True),
    Column("channel_id", Text, primary_key=True),
    *timestamps(),
)
keep_deltas(channel_pair)
variant = Table(
    "product_variant",
    metadata,
    identity(),
    Column("product_id", Text, ForeignKey("product.id"), nullable=False),
    Column("sku", Text, unique=True),
    Column("rank", Integer, nullable=False, server_default="0"),
    Column("price", Money),
    *timestamps(),
)
tag = Table("tag", metadata, identity(), Column("value", Text, nullable=False), *timestamps())
product_tag = Table(
    "product_tags",
    metadata,
    Column("product_id", Text, ForeignKey("product.id"), primary_key=True),
    Column("tag_id", Text, ForeignKey("tag.id"), primary_key=True),
)
currency = Table("currency", metadata, Column("code", Text, primary_key=True), Column("digits", Integer, nullable=False))
note = Table("note", metadata, identity(), Column("variant_id", Text, ForeignKey("product_variant.id")), Column("body", Text))

SCHEMA = Schema(
    "shop",
    Entity("brand", brand, "brand", searchable=("name",), relations={"products": many("product", "brand_id")}),
    Entity(
        "product",
        product,
        "prod",
        relations={
            "brand": one("brand", "brand_id"),
            "variants": many("product_variant", "product_id", order=("-rank",), cascade=True),
            "tags": through("tag", product_tag, "product_id", "tag_id", order=("value",)),
        },
        searchable=("title", "rank", "variants", "brand"),
        computed={"shout": lambda source: func.upper(source.c.title)},
        hidden=frozenset({"secret"}),
    ),
    Entity(
        "product_variant",
        variant,
        "variant",
        relations={"product": one("product", "product_id"), "notes": many("note", "variant_id", cascade=True)},
        searchable=("sku", "product"),
    ),
    Entity("tag", tag, "ptag", searchable=("value",), relations={"products": through("product", product_tag, "tag_id", "product_id")}),
    Entity("currency", currency, key="code"),
    Entity("note", note, "note"),
)

TAKE = answering(
    update(product)
    .where(product.c.id == bindparam("key"), product.c.rank >= bindparam("by"))
    .values(rank=product.c.rank - bindparam("by"))
    .returning(product.c.rank)
)
_named = func.unnest(array_param("ids", brand.c.id), array_param("names", brand.c.name)).table_valued("id", "name").render_derived()
_made = insert(brand).from_select(["id", "name"], select(_named.c.id, _named.c.name)).returning(brand.c.id, brand.c.name).cte("made")
NAME = answering(select(func.json_agg(func.json_build_object("id", _made.c.id, "name", _made.c.name))))


class ShopService(ModuleService):
    """Counts how often its methods really ran."""

    name = "shop"
    schema = SCHEMA
    done = 0

    @writes
    async def restock(self, id: str, by: int) -> dict[str, Any]:
        """A write that reads what it changes."""
        self.done += 1
        [row] = await self.list("product", {"id": id}, fields=("id", "rank"))
        [row] = await self.update("product", [{"id": id, "rank": (row["rank"] or 0) + by}])
        return {"rank": row["rank"], "weight": row["weight"]}

    @writes(one_statement=True, answers=True)
    async def take(self, id: str, by: int) -> dict[str, Any]:
        """Take some off the rank, if there is as much."""
        rank = await self.answer(TAKE, {"key": id, "by": by})
        if rank is None:
            raise NotAllowed(f"{id} has less than {by}")
        self.touch("product")
        return {"id": id, "left": rank}

    @writes(one_statement=True, answers=True)
    async def found(self, names: Sequence[str]) -> dict[str, Any]:
        """New brands, all of them as the database has them."""
        made = await self.answer(NAME, {"ids": [f"brand_{name}" for name in names], "names": list(names)})
        self.touch("brand")
        return {row["name"]: row["id"] for row in made}


class Changes:
    """The invalidations of a service."""

    def __init__(self) -> None:
        self.seen: list[frozenset[str]] = []

    async def __call__(self, names: frozenset[str]) -> None:
        self.seen.append(names)


@asynccontextmanager
async def shop_on(url: str, *, connections: int = 4) -> AsyncIterator[tuple[ShopService, Changes]]:
    database = Database(url, connections=connections)
    await database.open()
    try:
        await database.script(";\n".join(definition(metadata)))
        changes = Changes()
        yield ShopService(ModuleContext(Settings(), database, Providers("shop"), changes)), changes
    finally:
        await database.close()
