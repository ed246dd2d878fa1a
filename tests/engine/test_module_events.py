"""Events of modules: written in the transaction of the change where somebody subscribes, and brought to the engine once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Column, Integer, Table, Text

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.engine.module_events import ModuleEvents
from velella.core.errors import Unavailable
from velella.core.flow import Event, Flow, subscriber
from velella.core.service.context import ModuleContext
from velella.core.service.module import ModuleService
from velella.core.service.providers import Providers
from velella.core.settings import Settings
from velella.core.sql.db.compiled import Compiled
from velella.core.sql.db.database import Database
from velella.core.sql.schema.columns import Json, identity, module_metadata, timestamps
from velella.core.sql.schema.definition import definition
from velella.core.sql.schema.entity import Entity
from velella.core.sql.schema.schema import Schema
from velella.core.sql.write.outbox import events_of

from ..conftest import clone

if TYPE_CHECKING:
    from toy_stage import Stage

metadata = module_metadata()
thing = Table(
    "shelf_thing", metadata, identity(), Column("size", Integer, nullable=False), Column("document", Json), *timestamps()
)  # fmt: skip
pair = Table(
    "shelf_pair", metadata, Column("one", Text, primary_key=True), Column("two", Text, primary_key=True), Column("id", Text), *timestamps()
)  # fmt: skip


class ShelfService(ModuleService):
    name = "shelf"
    schema = Schema("shelf", Entity("shelf_thing", thing, prefix="thing"), Entity("shelf_pair", pair, prefix="pair"))


async def create_and_fail(shelf: ShelfService) -> None:
    async with shelf.database.transaction():
        await shelf.create("shelf_thing", [{"size": 4}])
        raise Unavailable("No.")


ALL = sorted(events_of(ShelfService.schema))


@pytest.fixture
async def shelf(postgres: EmbeddedPostgres) -> AsyncIterator[ShelfService]:
    """A module in a database of its own."""
    database = Database(await clone(postgres), connections=4)
    await database.open()
    await database.script(";\n".join(definition(metadata)))

    async def changed(names: frozenset[str]) -> None: ...

    yield ShelfService(ModuleContext(Settings(_env_file=None), database, Providers("shelf"), changed))
    await database.close()


async def written(shelf: ShelfService) -> list[tuple[str, Any]]:
    """What it has written since it was asked last."""
    rows = await shelf.written_events(1000)
    await shelf.drop_events([id for id, _, _ in rows])
    return [(name.removeprefix("shelf.shelf-"), data) for _, name, data in rows]


async def triggers(shelf: ShelfService) -> int:
    found: int = await shelf.database.fetch_value(Compiled("SELECT count(*) FROM pg_trigger WHERE tgname = 'velella_outbox'"))
    return found


def test_every_entity_with_a_table_has_events() -> None:
    assert [f"shelf.shelf-pair.{action}" for action in ("attached", "detached")] + [
        f"shelf.shelf-thing.{action}" for action in ("created", "deleted", "restored", "updated")
    ] == ALL


async def test_a_module_writes_every_change_with_it_and_nothing_that_is_rolled_back(shelf: ShelfService) -> None:
    await shelf.write_events(ALL, 1)
    one, two = (row["id"] for row in await shelf.create("shelf_thing", [{"size": 1, "document": {"a": 1}}, {"size": 2}]))
    assert await written(shelf) == [("thing.created", {"id": one}), ("thing.created", {"id": two})]
    await shelf.update("shelf_thing", [{"id": one, "size": 3}, {"id": two, "size": 2}])
    assert await written(shelf) == [("thing.updated", {"id": one})], "the other one stayed as it was"
    await shelf.delete("shelf_thing", [one])
    await shelf.restore("shelf_thing", [one])
    assert await written(shelf) == [("thing.deleted", {"id": one}), ("thing.restored", {"id": one})]
    with pytest.raises(Unavailable):
        await create_and_fail(shelf)
    assert await written(shelf) == []
    kept = await shelf.kept("create", ("shelf_thing", [{"size": 5}]))
    await shelf.undo(kept["change"])
    assert [name for name, _ in await written(shelf)] == ["thing.created", "thing.deleted"], "undoing is a change, too"
    await shelf.create("shelf_pair", [{"one": "a", "two": "b", "id": "pair_1"}])
    await shelf.delete("shelf_pair", ["pair_1"])
    both = {"one": "a", "two": "b"}
    assert await written(shelf) == [("pair.attached", both), ("pair.detached", both)]
    await shelf.database.script("DELETE FROM shelf_pair; DELETE FROM shelf_thing WHERE size = 2")
    assert await written(shelf) == [("thing.deleted", {"id": two})], "any statement counts, and what was gone already doesn't"


async def test_only_what_is_subscribed_to_is_written_and_late_news_change_nothing(shelf: ShelfService) -> None:
    await shelf.write_events([], 1)
    assert await shelf.database.fetch_value(Compiled("SELECT to_regclass('shelf_outbox') IS NULL")), "nobody pays for what nobody asks for"
    assert await shelf.announced_events() == []
    await shelf.write_events(["shelf.shelf-thing.created", "shelf.shelf-thing.misspelt"], 2)
    assert await shelf.announced_events() == ["shelf.shelf-thing.created"]
    [made] = await shelf.create("shelf_thing", [{"size": 1}])
    await shelf.update("shelf_thing", [{"id": made["id"], "size": 3}])
    assert await written(shelf) == [("thing.created", {"id": made["id"]})]
    await asyncio.gather(*(shelf.write_events(ALL[: version - 2], version) for version in (8, 5, 7, 3, 6, 4)))
    assert await shelf.announced_events() == ALL
    await shelf.write_events([], 7)
    await shelf.update("shelf_thing", [{"id": made["id"], "size": 4}])
    assert await written(shelf) == [("thing.updated", {"id": made["id"]})], "the newest of them counts"
    await shelf.create("shelf_thing", [{"size": 1}])
    await shelf.write_events([], 9)
    assert (await written(shelf), await triggers(shelf)) == ([], 0)


async def test_a_table_that_is_being_written_to_is_waited_for_and_asked_again(shelf: ShelfService, monkeypatch: pytest.MonkeyPatch) -> None:
    from velella.core.sql.write import outbox

    monkeypatch.setattr(outbox, "_PATIENCE", "SET LOCAL lock_timeout = 50")
    async with shelf.database.transaction():
        await shelf.create("shelf_thing", [{"size": 1}])
        telling = asyncio.create_task(_told(shelf.context))
        with pytest.raises(Exception, match="being changed elsewhere"):
            await telling
    await shelf.write_events(ALL, 1)
    await shelf.create("shelf_thing", [{"size": 1}])
    assert [name for name, _ in await written(shelf)] == ["thing.created"]


async def _told(context: ModuleContext) -> None:
    other = Database(context.database.url, connections=1)
    await other.open()
    try:
        await ShelfService(ModuleContext(context.settings, other, context.providers, context.changed)).write_events(ALL, 1)
    finally:
        await other.close()


async def test_what_a_module_has_written_comes_to_its_subscribers_once(here: Stage, shelf: ShelfService) -> None:
    from toy_stage import Handle

    heard: list[str] = []

    @subscriber("shelf.shelf-thing.created")
    async def hear(flow: Flow, event: Event) -> None:
        heard.append(event.data["id"])

    class Dying(Handle):
        """Its caller dies before the events are dropped, as often as this says."""

        deaths = 0

        async def drop_events(self, ids: list[str]) -> None:
            if self.deaths:
                self.deaths -= 1
                raise Unavailable("The coordinator died.")
            await shelf.drop_events(ids)

    relay, handle = here.coordinator._relay, Dying(shelf)
    await relay.subscribe()

    def bringer() -> ModuleEvents:
        return ModuleEvents(SimpleNamespace(shelf=handle), here.database, here.coordinator._store, lambda: relay.wanted, relay.nudge)

    both = bringer(), bringer()
    await asyncio.gather(*(one.look() for one in both))
    made = [row["id"] for row in await shelf.create("shelf_thing", [{"size": size} for size in range(700)])]
    handle.deaths = 2
    for _ in range(3):
        await asyncio.gather(*(one.look() for one in both))
    until = asyncio.get_running_loop().time() + 30
    while len(heard) < len(made) and asyncio.get_running_loop().time() < until:
        await asyncio.gather(*await relay.take())
    assert sorted(heard) == sorted(made), "each one, once, though it was brought by two, and twice"
    assert await written(shelf) == []
    await here.database.script("DELETE FROM event_subscription")
    await relay.learn()
    await both[0].look()
    assert await triggers(shelf) == 0


async def test_a_module_that_cant_be_told_keeps_no_other_waiting_and_is_told_again(
    here: Stage, shelf: ShelfService, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toy_stage import Handle

    class Refusing(Handle):
        async def write_events(self, events: list[str], version: int) -> list[str]:
            refused.append(version)
            raise RuntimeError("This account owns no tables.")

    refused: list[int] = []
    modules = SimpleNamespace(shelf=Handle(shelf), other=Refusing(shelf))
    subscribed = frozenset(ALL)
    events = ModuleEvents(modules, here.database, here.coordinator._store, lambda: subscribed, lambda: None)
    await here.database.script(f"INSERT INTO event_subscription (event, subscriber) VALUES ('{ALL[2]}', 'hear')")
    await events.look()
    await events.look()
    assert (await triggers(shelf), len(refused)) == (1, 1), "it isn't asked all the time"
    monkeypatch.setattr(events, "_again", {})
    modules.other = modules.shelf
    await events.look()
    assert events._told.keys() == {"shelf", "other"}


class OlderShelfService(ModuleService):
    """The module before it had pairs."""

    name = "shelf"
    schema = Schema("shelf", Entity("shelf_thing", thing, prefix="thing"))


async def test_an_older_replica_undoes_nothing_and_its_module_is_told_again(
    here: Stage, shelf: ShelfService, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toy_stage import Handle

    from velella.actors.engine import module_events

    class Counted(Handle):
        async def write_events(self, events: list[str], version: int) -> list[str]:
            told.append(version)
            unknown: list[str] = await self._service.write_events(events, version)  # type: ignore[attr-defined]
            return unknown

    told: list[int] = []
    older = OlderShelfService(shelf.context)
    modules = SimpleNamespace(shelf=Counted(older))
    await here.database.script(f"INSERT INTO event_subscription (event, subscriber) SELECT unnest(ARRAY{ALL}::text[]), 'hear'")
    events = ModuleEvents(modules, here.database, here.coordinator._store, lambda: frozenset(ALL), lambda: None)
    await events.look()
    await events.look()
    assert len(told) == 1, "it isn't asked all the time"
    assert await shelf.announced_events() == [event for event in ALL if "pair" not in event]
    monkeypatch.setattr(module_events.time, "monotonic", lambda started=module_events.time.monotonic: started() + 31)
    modules.shelf = Counted(shelf)
    await events.look()
    assert await shelf.announced_events() == ALL
    monkeypatch.undo()
    await events.look()
    assert len(told) == 2, "it has them all"
    assert len(await older.write_events(ALL, told[-1] + 1)) == 2
    assert await shelf.announced_events() == ALL
    await older.write_events([ALL[0], ALL[2]], told[-1] + 2)
    assert await shelf.announced_events() == [ALL[0], ALL[2]], "what nobody asks for any more goes, whoever is told"
