"""Histories of tables: written from the tables, run once, also by several processes at a time."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, Column, Index, Integer, MetaData, Sequence, Table, Text, text

from velella.core.errors import Misconfigured, Unavailable
from velella.core.ids import ulid
from velella.core.service import migrations
from velella.core.service.module import Module, ModuleService
from velella.core.sql.db.database import Database
from velella.core.sql.schema.columns import Json, Money, identity, module_metadata, timestamps, trigrams
from velella.core.sql.schema.definition import definition
from velella.core.sql.schema.entity import Entity
from velella.core.sql.schema.schema import Schema


def shelf(package: str, *, depth: bool = False, height: str = "1") -> Module:
    """A module with a table, at two times of its life."""
    metadata = module_metadata()
    numbers = Sequence("shelf_number_seq", metadata=metadata)
    further = [Column("depth", Integer, nullable=False, server_default="0"), Index(None, "depth")] if depth else []
    table = Table(
        "shelf",
        metadata,
        identity(),
        Column("name", Text, nullable=False, unique=True),
        Column("number", Integer, numbers, nullable=False, server_default=numbers.next_value()),
        Column("price", Money),
        Column("data", Json),
        *timestamps(),
        CheckConstraint("price >= 0", name="price"),
        Index("ix_shelf_living", "price", postgresql_where=text("deleted_at IS NULL")),
        *further,
    )
    trigrams(table, "name")
    metadata.info["views"] = {"tall_shelf": f"SELECT id, {height} AS height FROM shelf WHERE name ~ ':tall%'"}
    schema = Schema("shelf", Entity("shelf", table, "shelf"))
    return Module(name="shelf", schema=schema, service=type("ShelfService", (ModuleService,), {"schema": schema}), package=package)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"velella_test_{ulid().lower()}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return name


async def columns(url: str) -> list[str]:
    database = Database(url)
    await database.open()
    rows = await database.fetch(
        text("SELECT column_name FROM information_schema.columns WHERE table_name = 'shelf' ORDER BY ordinal_position")
    )
    await database.close()
    return [row[0] for row in rows]


async def test_a_history_leads_to_the_tables(package: str, fresh_database: str) -> None:
    first = shelf(package)
    path = await migrations.revise(first, "initial", fresh_database)
    assert path is not None
    assert path.name == "v0001_initial.py"
    assert "velella" not in path.read_text()
    assert await migrations.revise(first, "nothing", fresh_database) is None
    assert await migrations.differences(first, fresh_database) == ""
    assert await columns(fresh_database) == []  # it wrote in a database of its own

    assert await migrations.pending(first, fresh_database) == ["0001 Initial.", "view tall_shelf"]
    assert await migrations.migrate(first, fresh_database) == ["0001 Initial.", "view tall_shelf"]
    assert await migrations.pending(first, fresh_database) == []
    assert await migrations.migrate(first, fresh_database) == []
    assert "depth" not in await columns(fresh_database)

    second = shelf(package, depth=True)
    assert "depth" in await migrations.differences(second, fresh_database)
    path = await migrations.revise(second, "How deep it is", fresh_database)
    assert path is not None
    assert path.name == "v0002_how_deep_it_is.py"
    assert await migrations.migrate(second, fresh_database) == ["0002 How deep it is."]
    assert "depth" in await columns(fresh_database)

    path.unlink()
    with pytest.raises(Misconfigured, match="newer"):
        await migrations.migrate(first, fresh_database)


async def test_a_view_follows_its_text(package: str, fresh_database: str) -> None:
    await migrations.revise(shelf(package), "initial", fresh_database)
    await migrations.migrate(shelf(package), fresh_database)
    taller = shelf(package, height="2")
    assert await migrations.pending(taller, fresh_database) == ["view tall_shelf"]
    assert await migrations.migrate(taller, fresh_database) == ["view tall_shelf"]
    database = Database(fresh_database)
    await database.open()
    await database.execute(text("INSERT INTO shelf (id, name) VALUES ('a', 'x:tall%')"))
    assert await database.fetch_value(text("SELECT height FROM tall_shelf")) == 2
    await database.close()


async def test_processes_that_migrate_at_once_take_turns(package: str, fresh_database: str, tmp_path: Path) -> None:
    from ..forks import forked  # here: what it runs imports this file by itself

    module = shelf(package)
    await migrations.revise(module, "initial", fresh_database)
    program = tmp_path / "migrate.py"
    program.write_text(
        "import asyncio, sys\n"
        f"sys.path.insert(0, {str(Path(importlib.import_module(package).__path__[0]).parent)!r})\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_kernel_migrations import shelf, migrations\n"
        f"print(asyncio.run(migrations.migrate(shelf({package!r}), {fresh_database!r})))\n"
    )
    ended = await asyncio.gather(*(forked(program) for _ in range(3)))
    assert [code for code, _ in ended] == [0, 0, 0], ended
    assert sum("0001" in printed for _, printed in ended) == 1


async def test_a_migration_that_fails_leaves_nothing(package: str, fresh_database: str) -> None:
    module = shelf(package)
    path = await migrations.revise(module, "initial", fresh_database)
    assert path is not None
    path.write_text(path.read_text() + '    op.execute("SELECT 1/0")\n')
    with pytest.raises(Exception, match="division"):
        await migrations.migrate(module, fresh_database)
    assert await columns(fresh_database) == []
    assert len(await migrations.pending(module, fresh_database)) == 2


async def test_the_definition_makes_the_same_at_once(package: str, fresh_database: str) -> None:
    database = Database(fresh_database)
    await database.open()
    await database.script(";\n".join(definition(shelf(package).schema.metadata)))
    assert await database.fetch_value(text("SELECT count(*) FROM tall_shelf")) == 0
    await database.close()


async def test_a_server_that_is_not_there_is_unavailable(package: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await migrations.migrate(shelf(package), f"postgresql://postgres@/x?host={tmp_path}")


def test_a_module_needs_tables() -> None:
    with pytest.raises(TypeError):
        Schema("empty")
    assert Schema("empty", metadata=MetaData()).messages.name == "empty_message"
