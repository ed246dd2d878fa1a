"""Documents of former schemas, of newer ones, and of rows that also have relations elsewhere: a parcel with its labels."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from velella.core.errors import Unavailable
from velella.core.service.context import ModuleContext
from velella.core.service.module import ModuleService
from velella.core.service.providers import Providers
from velella.core.settings import Settings
from velella.core.sql.db.compiled import Compiled
from velella.core.sql.db.database import Database
from velella.core.sql.schema.columns import ROOT, Money, document_columns, identity, module_metadata, root_column, timestamps
from velella.core.sql.schema.definition import definition
from velella.core.sql.schema.entity import Document, Entity, SchemaStep, many, one
from velella.core.sql.schema.query import Query
from velella.core.sql.schema.schema import Schema

metadata, inside = module_metadata(), MetaData()
parcel = Table("parcel", metadata, identity(), Column("search", Text), *timestamps(), *document_columns())
stamp = Table("stamp", metadata, identity(), Column("parcel_id", Text), Column("text", Text), *timestamps())
label = Table(
    "parcel_label",
    inside,
    root_column(),
    identity(),
    Column("parcel_id", Text, nullable=False),
    Column("colour", Text, nullable=False),
    Column("price", Money),
    Column("rank", Integer),
    *timestamps(),
)


def name_colours(document: dict[str, Any]) -> dict[str, Any]:
    """Schema 2: `color` is called `colour`."""
    for row in document["labels"]:
        row["colour"] = row.pop("color")
    return document


def american(document: dict[str, Any]) -> dict[str, Any]:
    for row in document["labels"]:
        row["color"] = row.pop("colour")
    return document


def rank(document: dict[str, Any]) -> dict[str, Any]:
    """Schema 3: labels have ranks."""
    for place, row in enumerate(document["labels"]):
        row["rank"] = place
    return document


def no_rank(document: dict[str, Any]) -> dict[str, Any]:
    for row in document["labels"]:
        del row["rank"]
    return document


SCHEMA = Schema(
    "depot",
    Entity(
        "parcel",
        parcel,
        relations={"labels": many("parcel_label", "parcel_id"), "stamps": many("stamp", "parcel_id")},
        searchable=("search",),
        hidden=frozenset({"document", "document_schema", "search"}),
        document=Document(steps=(SchemaStep(name_colours, american), SchemaStep(rank, no_rank))),
    ),
    Entity("parcel_label", label, relations={"parcel": one("parcel", "parcel_id")}, hidden=frozenset({ROOT}), inside="parcel"),
    Entity("stamp", stamp, relations={"parcel": one("parcel", "parcel_id")}),
)

AT = "2026-11-05T12:00:00.000Z"
FORMER: Mapping[int, str] = {
    1: '{"labels": [{"id": "l1", "color": "red", "price": "1.50", "created_at": "now", "updated_at": "now"}]}',
    2: '{"labels": [{"id": "l1", "colour": "red", "price": "1.50", "created_at": "now", "updated_at": "now"}]}',
    3: '{"labels": [{"id": "l1", "colour": "red", "rank": 0, "price": "1.50", "created_at": "now", "updated_at": "now"}]}',
}
"""A document of each schema, as it was written then (`now`)."""


class DepotService(ModuleService):
    schema: ClassVar[Schema] = SCHEMA


@asynccontextmanager
async def depot_on(url: str, documents: Callable[[], Mapping[str, int]] = dict) -> AsyncIterator[DepotService]:
    database = Database(url, connections=2)
    await database.open()

    async def nobody(changed: frozenset[str]) -> None:
        """Nobody wants to know what changed."""

    try:
        await database.script(";\n".join(definition(metadata)))
        yield DepotService(ModuleContext(Settings(), database, Providers("depot"), nobody, documents=documents))
    finally:
        await database.close()


async def put(depot: DepotService, id: str, number: int, document: str, search: str = "") -> None:
    text = "INSERT INTO parcel(id, document_schema, document, search) VALUES ($1, $2, $3, $4)"
    values = {"id": id, "number": number, "document": document.replace("now", AT).encode(), "search": search}
    await depot.database.execute(Compiled(text, tuple(values)), values)


async def test_a_document_of_any_former_schema_is_shown_as_one_of_today(fresh_database: str) -> None:
    async with depot_on(fresh_database) as depot:
        for number, document in FORMER.items():
            await put(depot, f"parcel_{number}", number, document)
        rows = (await depot.query(Query("parcel", ("labels.colour", "labels.rank", "labels.price")))).rows
        assert [row["labels"] for row in rows] == [[{"id": "l1", "colour": "red", "rank": 0, "price": rows[0]["labels"][0]["price"]}]] * 3
        wholes = [await depot.whole("parcel", f"parcel_{number}") for number in FORMER]
        labels = [whole["labels"][0] | {"parcel_id": ""} for whole in wholes if whole is not None]
        assert labels == [labels[0]] * 3


async def test_a_document_of_a_newer_schema_is_not_guessed_at(fresh_database: str) -> None:
    async with depot_on(fresh_database) as depot:
        await put(depot, "parcel_9", 4, FORMER[3])
        with pytest.raises(Unavailable, match="newer version") as refused:
            await depot.query(Query("parcel", ("labels.colour",)))
        assert refused.value.status == 503
        with pytest.raises(Unavailable):
            await depot.whole("parcel", "parcel_9")
        assert (await depot.query(Query("parcel", ("id",)))).rows == [{"id": "parcel_9"}]  # its columns are known


async def test_documents_are_written_so_that_all_processes_can_read_them(fresh_database: str) -> None:
    known: dict[str, int] = {}
    async with depot_on(fresh_database, lambda: known) as depot:
        await put(depot, "parcel_1", 3, FORMER[3])
        whole = await depot.whole("parcel", "parcel_1")
        assert whole is not None
        for number, document in FORMER.items():
            known["parcel"] = number
            stored = depot.statements.documents.stored(SCHEMA["parcel"], whole)
            assert stored["document_schema"] == number
            kept = json.loads(stored["document"])["labels"][0]
            assert json.loads(document)["labels"][0].keys() <= kept.keys()
            assert kept.keys().isdisjoint({"colour", "rank"} - json.loads(document)["labels"][0].keys())
            await depot.database.execute(Compiled("DELETE FROM parcel"))
            await put(depot, "parcel_1", number, stored["document"].decode())
            again = await depot.whole("parcel", "parcel_1")
            assert again is not None
            assert again["labels"] == whole["labels"]
        known["parcel"] = 9  # others are ahead of us
        assert depot.statements.documents.stored(SCHEMA["parcel"], whole)["document_schema"] == 3


async def test_what_lies_elsewhere_is_shown_beside_the_document(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with depot_on(fresh_database) as depot:
        await put(depot, "parcel_1", 3, FORMER[3], "a blue parcel to Bremen")
        await put(depot, "parcel_2", 3, '{"labels": []}', "a red parcel")
        await depot.create("stamp", [{"id": "st_1", "parcel_id": "parcel_1", "text": "fragile"}])
        query = Query("parcel", ("labels.price", "*stamps", "stamps.parcel.labels.colour"), {"q": "blue"}, count=True)
        page = await depot.query(query)
        documents = await depot.documents(query)
        monkeypatch.setattr(depot.statements.documents, "showing", lambda *_, **__: None)
        assert page.rows == (await depot.query(query)).rows
        assert [(row["id"], row["stamps"][0]["text"]) for row in page.rows] == [("parcel_1", "fragile")]
        assert (page.count, documents) == (1, [("parcel_1", page.json[1:-1])])


@pytest.mark.parametrize(
    ("relations", "wrong"),
    [({"parcel": one("parcel", "parcel_id")}, "parcel_label"), ({}, "root_id")],
)
def test_a_slip_in_what_lies_inside_is_met_when_the_module_is_imported(relations: Mapping[str, Any], wrong: str) -> None:
    columns = [] if wrong == "root_id" else [root_column()]
    table = Table("parcel_label", MetaData(), *columns, identity(), Column("parcel_id", Text))
    reached = {"labels": many("parcel_label", "parcel_id")} if wrong == "root_id" else {}
    with pytest.raises(TypeError, match=wrong):
        Schema(
            "depot",
            Entity("parcel", parcel, relations=reached, document=Document()),
            Entity("parcel_label", table, relations=relations, inside="parcel"),
        )


def test_what_has_the_key_of_what_it_lies_in_has_that_and_no_other() -> None:
    seal = Table("parcel_seal", MetaData(), root_column(), identity(), Column("parcel_id", Text))
    with pytest.raises(TypeError, match=r"found by parcel\.id"):
        Schema(
            "depot",
            Entity("parcel", parcel, relations={"seal": one("parcel_seal", "search", "parcel_id")}, document=Document()),
            Entity("parcel_seal", seal, inside="parcel"),
        )
