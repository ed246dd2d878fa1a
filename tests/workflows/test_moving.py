"""`velella move`: a module's rows are in another database, all of them, and a shop goes on with them there."""

from __future__ import annotations

import os
from pathlib import Path

import asyncpg
import pytest

from velella.actors.host import Host, local_host
from velella.core.rows import Row
from velella.core.service import migrations, moving
from velella.core.settings import Settings
from velella.workflows.defaults import seed_defaults

from .. import forks
from ..modules.test_order import new
from ..modules.test_order import order as placed_order

MOVED = ("customer", "link", "order", "region")
"""With deltas, links, sequences, and rows that others refer to."""


@pytest.fixture
async def shop(migrated_database: str, tmp_path: Path) -> Settings:
    settings = Settings(_env_file=None, database_url=migrated_database, data_dir=tmp_path / "data")
    async with local_host(settings) as host:
        await seed_defaults(host.modules)
        await host.modules.customer.write_events(["customer.customer.created"], 1)
        await host.modules.customer.create("customer", [{"email": f"ada{number}@example.com"} for number in range(30)])
        orders = [placed_order(credit=credit) for credit in (None, "1", None)]
        for order in orders:
            await host.modules.order.place(new(order))  # type: ignore[arg-type]
        await host.modules.order.amend(orders[0]["id"], {"email": "eve@example.com"}, by="user_1")
    connection = await asyncpg.connect(migrated_database)
    await connection.execute("SELECT nextval('order_display_id_seq') FROM generate_series(4, 41)")
    await connection.close()
    return settings


async def velella(folder: Path, *words: str, **more: str) -> tuple[int | None, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VELELLA_")} | more
    return await forks.velella(*words, folder=folder, environment=environment)


async def orders_of(host: Host) -> list[Row]:
    """All orders with what lies in them, what they come to, and what was done to them."""
    fields = ("*", "*items.tax_lines", "*shipping_methods", "*credit_lines", "*shipping_address", "total", "summary", "*changes.actions")
    rows: list[Row] = await host.modules.order.list("order", {}, fields=fields, order=("display_id",))
    return rows


async def test_a_module_goes_on_elsewhere_with_all_its_rows(shop: Settings, fresh_database: str, tmp_path: Path) -> None:
    async with local_host(shop, visits=True) as host:
        orders = await orders_of(host)
        assert [(order["display_id"], order["email"]) for order in orders] == [
            (1, "eve@example.com"), (2, "a@example.com"), (3, "a@example.com")
        ]  # fmt: skip
    there = {f"VELELLA_DATABASES__{name.upper()}": fresh_database for name in MOVED}
    old = {"VELELLA_DATABASE_URL": str(shop.database_url)}
    for name in MOVED:
        code, said = await velella(tmp_path, "move", name, "--to", fresh_database, **old)
        assert code == 0, said
        assert f"VELELLA_DATABASES__{name.upper()}=" in said
    code, said = await velella(tmp_path, "move", "region", "--to", fresh_database, **old)  # as after a crash at its end
    assert code == 0, said

    connection = await asyncpg.connect(fresh_database)
    assert await connection.fetchval("SELECT nextval('order_display_id_seq')") == 42
    await connection.execute("DELETE FROM customer WHERE email = 'ada0@example.com'")
    await connection.close()

    code, said = await velella(tmp_path, "move", "customer", "--to", fresh_database, **old)
    assert (code, "other rows of customer" in said) == (1, True), said
    code, said = await velella(tmp_path, "move", "customer", "--drop", **old)
    assert (code, "still have customer in the main database" in said) == (1, True), said
    for name in (*MOVED, *MOVED):  # may be repeated
        code, said = await velella(tmp_path, "move", name, "--drop", **old, **there)
        assert code == 0, said
    connection = await asyncpg.connect(str(shop.database_url))
    left = await connection.fetch("SELECT relname FROM pg_class WHERE relname ~ '^(customer|region|link_)' OR relname = 'order'")
    await connection.close()
    assert left == []
    moved = shop.model_copy(update={"databases": dict.fromkeys(MOVED, fresh_database)})
    async with local_host(moved) as host:
        assert await orders_of(host) == orders
        placed = placed_order()
        assert await host.modules.order.place(new(placed)) == 43  # type: ignore[arg-type]
        assert len(await host.modules.customer.written_events(100)) == 30, "events on their way go along"
        assert await host.modules.customer.count("customer") == 29
        await host.modules.customer.create("customer", [{"email": "eve@example.com"}])
        assert await host.modules.customer.count("customer") == 30
        assert len(await host.modules.customer.written_events(100)) == 31, "and those are written that nobody has announced there yet"
        await host.modules.customer.write_events([], 1)
        assert len(await host.modules.customer.written_events(100)) == 31, "an announcement from before the move changes nothing"
        await host.modules.customer.write_events([], 2)
        assert await host.modules.customer.written_events(100) == []
        assert await host.modules.link.count("publishable_api_key_sales_channel") == 1


async def test_a_move_that_ends_half_way_has_moved_nothing(shop: Settings, fresh_database: str) -> None:
    module, url = migrations.load_module("customer", shop), str(shop.database_url)

    def dies(table: str, rows: int) -> None:
        if rows:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await moving.move(module, url, fresh_database, dies)
    connection = await asyncpg.connect(fresh_database)
    assert await connection.fetchval("SELECT count(*) FROM customer") == 0
    await connection.close()
    assert (await moving.move(module, url, fresh_database, lambda *_: None))["customer"] == 30


async def test_nothing_is_dropped_that_was_not_moved(shop: Settings, fresh_database: str, tmp_path: Path) -> None:
    await migrations.migrate(
        migrations.load_module("customer", shop), fresh_database
    )  # as `velella migrate` does, once the settings name it
    names = {"VELELLA_DATABASE_URL": str(shop.database_url), "VELELLA_DATABASES__CUSTOMER": fresh_database}
    code, said = await velella(tmp_path, "move", "customer", "--drop", **names)
    assert (code, "customer was never moved to" in said) == (1, True), said
    connection = await asyncpg.connect(str(shop.database_url))
    assert await connection.fetchval("SELECT count(*) FROM customer") == 30
    await connection.close()


async def test_nothing_is_moved_away_under_others(shop: Settings, fresh_database: str, tmp_path: Path) -> None:
    other = await asyncpg.connect(str(shop.database_url))
    code, said = await velella(tmp_path, "move", "region", "--to", fresh_database, VELELLA_DATABASE_URL=str(shop.database_url))
    await other.close()
    assert (code, "Others are connected" in said) == (1, True), said


async def test_a_database_to_move_to_that_cannot_be_reached_is_named_without_its_password(
    shop: Settings, fresh_database: str, tmp_path: Path
) -> None:
    for target, why in (
        ("postgresql://shop:s3cret/word@db.internal/orders", "postgresql://user:password@host:port/name"),
        ("mysql://shop:s3cret@db.internal/orders", "postgresql://user:password@host:port/name"),
        ("postgresql://shop:s3cret@127.0.0.1:1/orders", "does not answer"),
        (f"{fresh_database}_no", "does not answer"),
    ):
        code, said = await velella(tmp_path, "move", "region", "--to", target, VELELLA_DATABASE_URL=str(shop.database_url))
        assert (code in (1, 2), why in " ".join(said.split())) == (True, True), said
        assert "Traceback" not in said
        assert "s3cret" not in said
