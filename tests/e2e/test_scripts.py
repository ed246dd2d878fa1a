"""`velella exec` and `velella shell`: an operator's code beside a shop that is served, and on its database alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.core.ids import ulid

from .. import forks
from ..conftest import VELELLA, clone
from ..types.test_handles import ROOT
from .served import Served
from .terminal import CTRL_C, terminal

RENAME = """
import argparse
from dataclasses import dataclass

from velella.cli.script import ShopHandle
from velella.core.errors import NotFound
from velella.workflows.product.groups import PRODUCT_TAGS

parser = argparse.ArgumentParser()
parser.add_argument("value")
parser.add_argument("--twice", action="store_true")


@dataclass
class Tag:
    id: str


async def main(shop: ShopHandle) -> int:
    given = parser.parse_args()
    values = [f"{given.value}-{number}" for number in range(1 + given.twice)]
    made = [Tag(row["id"]) for row in await shop.run(PRODUCT_TAGS.create, [{"value": value} for value in values])]
    found = await shop.graph.one("product_tag", made[0].id, ("value",))
    print(found["value"], len(made), shop.running, shop.arguments)
    try:
        await shop.modules.product.retrieve("product_tag", "ptag_none")
    except NotFound as error:
        print(error.message)
    return 3
"""
FAILS = """
async def look():
    return await modules.product.retrieve("product_tag", "ptag_none")

print(await modules.product.count("product_tag", {"value": "never"}))
await look()
"""


async def execute(*words: str, folder: Path) -> tuple[int | None, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VELELLA_")}
    return await forks.velella("exec", *words, folder=folder, environment=environment)


async def test_what_a_script_does_is_done_by_the_shop_that_is_served(colony: Served, tmp_path: Path) -> None:
    admin, name = await colony.admin(), ulid().lower()
    script = tmp_path / "rename.py"
    script.write_text(RENAME)
    assert (await admin.get("/admin/product-tags", q=name))["count"] == 0  # remembered from here on
    where = ("--data-dir", str(colony.data_dir), str(script))
    code, said = await execute(*where, name, "--twice", folder=colony.data_dir.parent)
    assert code == 3, said
    assert said.splitlines() == [
        f"{name}-0 2 {colony.base} ['{name}', '--twice']",
        "ProductTag with id: ptag_none was not found",
    ]
    assert (await admin.get("/admin/product-tags", q=name))["count"] == 2, "every process has heard of it"

    code, said = await execute("--database-url", "postgresql://u:hidden@localhost/velella", *where, name, folder=colony.data_dir.parent)
    assert (code, "not postgresql://u@localhost/velella" in " ".join(said.split())) == (1, True), said
    assert (await admin.get("/admin/product-tags", q=name))["count"] == 2, "nothing is done beside a shop"

    code, said = await execute(*where, folder=colony.data_dir.parent)  # argparse's own refusal
    assert (code, "the following arguments are required: value" in said) == (2, True), said


async def test_what_is_made_beside_a_shop_that_is_served_is_there(colony: Served) -> None:
    admin, email = await colony.admin(), f"{ulid().lower()}@example.com"
    for _ in range(6):
        assert (await admin.get("/admin/users", email=email))["count"] == 0  # remembered from here on
    words = ("user", "create", "--email", email, "--password", "correct horse", "--data-dir", str(colony.data_dir))
    code, said = await forks.velella(*words, folder=colony.data_dir.parent, environment=dict(os.environ))
    assert code == 0, said
    for _ in range(6):
        assert (await admin.get("/admin/users", email=email))["count"] == 1, "every process has heard of it"


async def test_an_error_is_shown_with_the_scripts_own_part_of_its_trace(colony: Served, tmp_path: Path) -> None:
    script = tmp_path / "fails.py"
    for text, shown in (
        (FAILS, ['fails.py", line 6, in <module>', 'fails.py", line 3, in look', "NotFound: ProductTag with id: ptag_none was not found"]),
        ("x = 1\ndef broken(:\n", ['fails.py", line 2', "SyntaxError"]),
        ('await modules.product.list("product", {"id": object()})', ['fails.py", line 1, in <module>', "TypeError"]),
        ('raise SystemExit("that is enough")', ["that is enough"]),
    ):
        script.write_text(text)
        code, said = await execute("--data-dir", str(colony.data_dir), str(script), folder=colony.data_dir.parent)
        assert code == 1, said
        for each in shown:
            assert each in said
        assert all("fails.py" in line for line in said.splitlines() if line.strip().startswith("File ")), said
    script.write_text(FAILS)
    code, said = await execute("--data-dir", str(colony.data_dir), "--trace", str(script), folder=colony.data_dir.parent)
    assert "router.py" in said


async def test_on_a_database_alone_the_script_is_all_there_is(postgres: EmbeddedPostgres, migrated: str, tmp_path: Path) -> None:
    (tmp_path / "rename.py").write_text(RENAME)
    code, said = await execute("rename.py", "alone", folder=tmp_path)
    assert (code, "There is no shop" in said) == (1, True), said
    assert not (tmp_path / ".velella").exists()
    where = ("--database-url", await clone(postgres, migrated), "rename.py")
    code, said = await execute(*where, "alone", folder=tmp_path)
    assert (code, said.splitlines()[0]) == (3, "alone-0 1 None ['alone']"), said
    [documented] = re.findall(r"```python\n# close_drafts.py\n(.*?)```", (ROOT / "docs" / "operations.md").read_text(), re.DOTALL)
    (tmp_path / "draft.py").write_text("await modules.product.create('product', [{'title': 'Mug', 'handle': 'mug'}])")
    (tmp_path / "close_drafts.py").write_text(documented)
    assert (await execute(*where[:2], "draft.py", folder=tmp_path))[0] == 0
    for options, wanted in ((["--dry-run"], (0, "Mug")), ([], (0, "Mug")), ([], (3, ""))):
        code, said = await execute(*where[:2], "close_drafts.py", *options, folder=tmp_path)
        assert (code, said.strip()) == wanted


async def test_the_shell_awaits_what_is_typed_and_remembers_it(colony: Served, tmp_path: Path) -> None:
    command = (*VELELLA, "shell", "--plain", "--data-dir", str(colony.data_dir))
    async with terminal(command, folder=colony.data_dir.parent, environment=os.environ) as shell:
        await shell.until("velella> ")
        banner = shell.output.decode()
        assert colony.base in banner
        for name in ("modules", "graph", "workflows", "run", "shop"):
            assert f"  {name}  " in banner
        shell.press(b'count = await modules.product.count("product_tag", {"value": "never"}); print(f"{count} tags")\n')
        await shell.until("0 tags")
        shell.press(b"print('so', 'on'); await asyncio.sleep(100)\n")
        await shell.until("so on")
        shell.press(CTRL_C)
        await shell.until("KeyboardInterrupt")
        shell.press(b'await modules.product.retrieve("product_tag", "ptag_none")\n')
        await shell.until("NotFound: ProductTag with id: ptag_none was not found")
        assert b"router.py" not in shell.output
        shell.press(b"print('two'); exit()\n")
        assert await shell.ended() == 0, shell.output.decode()
    history = colony.data_dir / "shell_history"
    assert "count = await modules" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0
    for line in re.findall(r"await (?:modules|graph|workflows|run)\..*", banner):  # what it says works
        (tmp_path / "said.py").write_text(f"from velella.core.sql.schema.query import Query\n{line.strip()}")
        code, said = await execute("--data-dir", str(colony.data_dir), str(tmp_path / "said.py"), folder=colony.data_dir.parent)
        assert code == 0, said
