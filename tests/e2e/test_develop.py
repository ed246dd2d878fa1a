"""`velella develop`: what is saved is served; what can't be isn't, and says why; no request fails meanwhile."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import time
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import aiohttp
import psutil

from velella.cli.develop.keeper import Keeper
from velella.cli.develop.messages import Ended, Forked, Preload, Ready, receive, send
from velella.cli.develop.nursery import Nursery
from velella.cli.new import PARTS, write_plugin
from velella.core.settings import Settings

from ..conftest import VELELLA
from ..types.test_handles import ROOT
from .served import free_port, velella

ROUTE = """
from velella.http.kit import PUBLIC, Answer, Request, Routes

routes = Routes()


@routes.get("/hooks/tide", query=None, auth=PUBLIC)
async def tide(request: Request) -> Answer:
    \"\"\"The tide.\"\"\"
    await request.modules.store.list("store", {}, limit=1)
    return {"tide": "TIDE"}
"""


async def test_what_is_saved_is_served(fresh_database: str, tmp_path: Path) -> None:
    write_plugin("gift_note", tmp_path, list(PARTS))
    route, port, log = tmp_path / "gift_note" / "http" / "tide.py", free_port(), tmp_path / "develop.log"
    route.write_text(ROUTE.replace("TIDE", "first"))
    settings_file, data = tmp_path / "velella.toml", tmp_path / "data"
    settings = settings_file.read_text()
    environment = {**os.environ, "VELELLA_LOG_LEVEL": "warning"}
    command = (*VELELLA, "develop", "--empty", "--port", str(port), "--data-dir", str(data), "--database-url", fresh_database)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, env=environment, stdout=output, stderr=output)
    session = aiohttp.ClientSession()
    failed: list[str] = []

    async def tide() -> str:
        for _ in range(2):  # a connection that the kernel gave to a listener that is just being closed is made anew
            try:
                async with session.get(f"http://127.0.0.1:{port}/hooks/tide") as answer:
                    text = await answer.text()
                    return str((await answer.json())["tide"]) if answer.status == 200 else text
            except aiohttp.ClientError as error:
                failure = repr(error)
        return failure

    async def until(wanted: str, *, while_it_serves: bool = True) -> float:
        began, former = time.monotonic(), None
        async with asyncio.timeout(60):
            while (seen := await tide()) != wanted:
                assert process.returncode is None, log.read_text()
                former = former or seen
                if while_it_serves and seen != former:
                    failed.append(seen)
                await asyncio.sleep(0.01)
        return time.monotonic() - began

    async def said(pattern: str) -> str:
        try:
            async with asyncio.timeout(30):
                while not re.search(pattern, log.read_text()):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{pattern} isn't in:\n{log.read_text()}") from None
        return log.read_text()

    try:
        await until("first", while_it_serves=False)
        seconds = []
        for word in ("second", "third"):
            route.write_text(ROUTE.replace("TIDE", word))
            seconds.append(await until(word))
        print(f"from saving to the first answer: {', '.join(f'{each:.2f} s' for each in seconds)}")
        await said("↻ .*gift_note/http/tide.py")

        route.write_text("def broken(:\n")
        text = await said("✗ .*gift_note/http/tide.py.*: the former code goes on serving")
        assert "SyntaxError" in text
        assert 'tide.py", line 1' in text
        assert "nursery.py" not in text
        assert await tide() == "third"
        settings_file.write_text(f"plugnis = []\n{settings}")
        await said(r"velella.toml, line 1: there is no setting `plugnis`\. Did you mean `plugins`\?")
        assert await tide() == "third"
        settings_file.write_text(settings)
        links = tmp_path / "gift_note" / "links.py"
        declared = links.read_text()
        links.write_text(declared.replace('Column("note"', 'Column("since", "text", "ever"), Column("note"'))
        await said("velella migrate")  # the table of the link is older by now, and the database isn't this shop's alone
        assert await tide() == "third"
        links.write_text(declared)
        route.write_text("while True: pass\n")  # nobody waits for it for ever
        await asyncio.sleep(0.5)
        (tmp_path / "gift_note" / "more.py").write_text("WORD = 'fourth'\n")
        route.write_text(ROUTE.replace('"TIDE"', "WORD").replace("routes =", "from ..more import WORD\n\nroutes ="))
        await until("fourth")
        assert failed == []

        (tmp_path / "tides").mkdir()  # a plugin more, which is broken at first
        (tmp_path / "tides" / "__init__.py").write_text("def broken(:")
        settings_file.write_text(settings.replace('plugins = ["gift_note"]', 'plugins = ["gift_note", "tides"]'))
        await said(r'/tides/__init__\.py", line 1')
        (tmp_path / "tides" / "__init__.py").write_text("")
        await said(r"↻ .*tides/__init__\.py")

        assert '"develop"' in await velella("status", "--json", data_dir=data)
        serving = int((await velella("status", "--json", data_dir=data)).partition('"pid": ')[2].partition(",")[0])
        mug = "await modules.product.create('product', [{'title': 'Mug', 'handle': 'mug', 'status': 'published'}]); print(shop.running)"
        assert f"http://127.0.0.1:{port}\n" == await executed(mug, data)
        [look] = re.findall(r"```python\n# look.py\n(.*?)```", (ROOT / "docs" / "your-first-plugin.md").read_text(), re.DOTALL)
        assert await executed(look, data) == "From a script\n"
        os.kill(serving, signal.SIGKILL)
        await said("The process that serves ended with signal SIGKILL: another one is started")
        await until("fourth", while_it_serves=False)
    finally:
        await session.close()
        below = psutil.Process(process.pid).children(recursive=True) if process.returncode is None else []
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)
    assert process.returncode == 0, log.read_text()
    assert len(below) >= 2
    assert not [each for each in below if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


async def executed(text: str, data: Path) -> str:
    """What a script prints by `velella exec`."""
    script = data.parent / "look.py"
    script.write_text(text)
    command = (*VELELLA, "exec", "--data-dir", str(data), str(script))
    process = await asyncio.create_subprocess_exec(*command, cwd=data.parent, stdout=PIPE, stderr=STDOUT)
    return (await process.communicate())[0].decode()


def test_a_message_comes_whole_however_much_is_imported() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    nursery, modules = Nursery(0, ours), [f"some.package.with.a.long.name.module_{at}" for at in range(30_000)]
    ready = Ready(1, "http://127.0.0.1:9000", [], ("product",), False, [], modules)
    send(theirs, ready)
    send(theirs, Ended(99_999, -9))
    assert nursery.received() == [ready, Ended(99_999, -9)]
    assert nursery.received() == [], "it doesn't wait"
    nursery.send(Preload(modules))
    assert receive(theirs, 1) == Preload(modules)
    ours.close()
    theirs.close()


async def test_who_stops_just_after_saving_waits_for_nothing_that_is_only_forked_then(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    keeper = Keeper(Settings(_env_file=None, data_dir=tmp_path), Nursery(0, ours), {}, demo=False, embedded=False)
    asyncio.get_running_loop().add_reader(ours, keeper._hear)
    keeper._start()
    began, closing = time.monotonic(), asyncio.create_task(keeper.close())
    await asyncio.sleep(0)
    generation = await asyncio.create_subprocess_exec("sleep", "60")
    send(theirs, Forked(1, generation.pid))
    send(theirs, Ended(generation.pid, await generation.wait()))
    await closing
    assert (generation.returncode, time.monotonic() - began < 5) == (-signal.SIGKILL, True)
    ours.close()
    theirs.close()
