"""The cache that processes share: what it gives is never older than the last change that was answered."""

from __future__ import annotations

import asyncio
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from velella.actors.caching.invalidation import Announcer
from velella.actors.caching.redis_cache import RedisCache
from velella.actors.caching.shared import CACHES, DISTRUST, SharedTier, clear_shared, namespace_of, tier_of
from velella.actors.host import Host
from velella.actors.membership.directory import Directory, ReplicaAddress, ReplicaId
from velella.core.errors import Misconfigured, Unavailable
from velella.core.settings import ProviderSettings, Settings

from ..conftest import RedisServer


def by(url: str, **more: Any) -> Settings:
    return Settings(_env_file=None, providers={"cache": [ProviderSettings(use="redis", options={"url": url})]}, **more)


@asynccontextmanager
async def tiers(url: str, count: int) -> AsyncIterator[list[SharedTier]]:
    """As many processes use the cache."""
    made = [tier_of(by(url)) for _ in range(count)]
    yield [each for each in made if each is not None]
    for each in made:
        assert each is not None
        await each.stop()


class Source:
    """What answers are made from."""

    def __init__(self) -> None:
        self.value = 1
        self.calls = 0

    async def __call__(self) -> bytes:
        self.calls += 1
        return str(self.value).encode()


async def kept(tier: SharedTier) -> None:
    while tier._keeping:
        await asyncio.sleep(0.005)


async def test_what_one_process_has_made_others_have_until_it_changes(own_redis: RedisServer) -> None:
    async with tiers(own_redis.url, 2) as (one, two):
        source = Source()
        assert await one.get_or_fill(b"page", {"product", "price"}, source) == b"1"
        await kept(one)
        assert await two.get_or_fill(b"page", {"product", "price"}, source) == b"1"
        assert source.calls == 1
        await two.invalidate({"customer", "product_variant:variant_1"})
        assert await one.get_or_fill(b"page", {"product", "price"}, source) == b"1"
        assert source.calls == 1
        for changed in ({"product:prod_1"}, {"price.price_set_id:pset_1"}, None):
            source.value += 1
            assert await two.invalidate(changed)
            for tier in (one, two):
                assert await tier.get_or_fill(b"page", {"product", "price"}, source) == str(source.value).encode()
                await kept(tier)
        assert source.calls == 4
        assert [value for _, (_, result), value in two.samples() if result == "hit"] == [4.0]
        await clear_shared(by(own_redis.url))
        await one.get_or_fill(b"page", {"product", "price"}, source)
        assert source.calls == 5, "a shop that starts begins anew"


async def test_what_was_read_before_a_change_is_not_good_after_it_and_a_lost_token_makes_nothing_good_again(own_redis: RedisServer) -> None:
    async with tiers(own_redis.url, 2) as (one, two), Redis.from_url(own_redis.url) as redis:
        source, go = Source(), asyncio.Event()

        async def slow() -> bytes:
            value = await source()
            await go.wait()
            return value

        early = asyncio.create_task(one.get_or_fill(b"page", {"product"}, slow))
        while not source.calls:
            await asyncio.sleep(0)
        source.value = 2
        await two.invalidate({"product"})
        go.set()
        assert await early == b"1"
        await kept(one)
        assert await two.get_or_fill(b"page", {"product"}, source) == b"2"
        await kept(two)
        before = await redis.get("velella:t:product")
        await redis.delete("velella:t:product")
        source.value = 3
        assert await one.get_or_fill(b"page", {"product"}, source) == b"3"
        assert await redis.get("velella:t:product") not in (None, before)


async def test_however_reads_writes_and_losses_meet_nobody_gets_what_is_older_than_the_last_answer_to_a_write(
    own_redis: RedisServer, dice: random.Random
) -> None:
    truth = {"a": 0, "b": 0}
    answered = dict(truth)
    async with tiers(own_redis.url, 4) as all_of_them, Redis.from_url(own_redis.url) as redis:

        async def read(tier: SharedTier) -> None:
            for _ in range(150):
                entities = dice.choice((["a"], ["b"], ["a", "b"]))
                least = {name: answered[name] for name in entities}

                async def make(entities: list[str] = entities) -> bytes:
                    seen = [truth[name] for name in entities]
                    await asyncio.sleep(dice.random() * 0.004)
                    return ",".join(map(str, seen)).encode()

                found = await tier.get_or_fill("".join(entities).encode(), entities, make)
                for name, value in zip(entities, found.decode().split(","), strict=True):
                    assert int(value) >= least[name], f"{name} is {value}, and was answered to be {least[name]}"
                await asyncio.sleep(dice.random() * 0.002)

        async def write(tier: SharedTier) -> None:
            for _ in range(40):
                name = dice.choice("ab")
                truth[name] += 1
                mine = truth[name]
                assert await tier.invalidate({f"{name}:{mine}"})
                answered[name] = max(answered[name], mine)
                await asyncio.sleep(dice.random() * 0.02)

        async def lose() -> None:
            for _ in range(30):
                keys = await redis.keys()
                if keys:
                    await redis.delete(dice.choice(keys))
                await asyncio.sleep(dice.random() * 0.02)

        await asyncio.gather(*map(read, all_of_them), *map(read, all_of_them), *map(write, all_of_them[:2]), lose())
        hits = sum(value for tier in all_of_them for _, (_, result), value in tier.samples() if result == "hit")
        assert hits > 100, "it is of use"


@pytest.mark.parametrize("trouble", ["dead", "slow"])
async def test_while_it_is_away_answers_are_made_and_afterwards_none_of_before_is_good(own_redis: RedisServer, trouble: str) -> None:
    async with tiers(own_redis.url, 2) as (writer, reader):
        source = Source()
        await reader.get_or_fill(b"page", {"product"}, source)
        await kept(reader)
        if trouble == "dead":
            own_redis.kill()
        else:
            own_redis.process.send_signal(signal.SIGSTOP)
        source.value = 2
        began = time.monotonic()
        assert not await writer.invalidate({"product"})
        assert await writer.get_or_fill(b"page", {"product"}, source) == b"2"
        reader.changed(frozenset({"product", DISTRUST}))
        if trouble == "dead":
            own_redis.start()
        else:
            own_redis.process.send_signal(signal.SIGCONT)
        for _ in range(20):
            assert await reader.get_or_fill(b"page", {"product"}, source) == b"2"
        assert time.monotonic() - began < 3, "nobody waits for it for long"
        async with asyncio.timeout(15):
            while not (writer._trusted and reader._trusted):
                await asyncio.sleep(0.05)
        assert await reader.get_or_fill(b"page", {"product"}, source) == b"2"
        await kept(reader)
        calls = source.calls
        assert await writer.get_or_fill(b"page", {"product"}, source) == b"2"
        assert source.calls == calls, "it is used again"


async def test_it_is_told_before_any_process_and_who_writes_forgets_again(own_redis: RedisServer) -> None:
    with tempfile.TemporaryDirectory(prefix="vt-") as folder:
        settings = by(own_redis.url, data_dir=folder)
        addresses = {name: ReplicaAddress(ReplicaId(name, 0), "here", f"{folder}/{name}") for name in ("all", "http")}
        directory = Directory.of([(addresses["all"], ["caching", "http"]), (addresses["http"], ["http"])])
        every = Host(settings, ["caching"], address=addresses["all"], directory=directory)
        door = Host(settings, [], address=addresses["http"], directory=directory)
        told: list[tuple[str, Any]] = []
        tokens: list[bytes | None] = []

        async with Redis.from_url(own_redis.url) as redis:
            for name, host in (("all", every), ("http", door)):
                host.context.on_changed(lambda names, name=name: told.append((name, names)))
                await host.start()
            try:
                await every.changed(frozenset({"product"}))  # in the process of the pool
                tokens.append(await redis.get("velella:t:product"))
                assert told[0] == ("all", {"product"}), "it forgets at once what it has itself"
                assert sorted(name for name, _ in told[1:]) == ["all", "http"], "and once more what it may have filled since"
                told.clear()
                await Announcer(door.router, settings)(frozenset({"product"}))  # by the pool, for one that doesn't know of the cache
                tokens.append(await redis.get("velella:t:product"))
                assert None not in tokens
                assert len(set(tokens)) == 2
                told.clear()
                own_redis.kill()
                await every.changed(frozenset({"product"}))
                assert ("http", {"product", DISTRUST}) in told
            finally:
                for host in (door, every):
                    await host.stop(0.1)


def test_code_and_settings_are_part_of_what_is_looked_for(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ebb.py").write_text("HEIGHT = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    plain = namespace_of(Settings(_env_file=None))
    assert namespace_of(Settings(_env_file=None, port=1, log_level="debug", jwt_secret="s")) == plain
    assert namespace_of(Settings(_env_file=None, restricted_fields=[])) != plain
    with_plugin = namespace_of(Settings(_env_file=None, plugins={"ebb": {}}))
    (tmp_path / "ebb.py").write_text("HEIGHT = 2\n")
    assert len({plain, with_plugin, namespace_of(Settings(_env_file=None, plugins={"ebb": {}}))}) == 3


@pytest.mark.parametrize(
    ("use", "options", "said"),
    [
        ("proces", {}, "providers.cache has no `proces`. Did you mean `process`?"),
        ("redis", {}, "providers.cache: `redis` needs the option `url`."),
        ("redis", {"url": "redis://a", "prefix": "b"}, "providers.cache: `redis` takes no option `prefix`."),
        (
            "velella.core.flow:Event",
            {},
            "providers.cache: `velella.core.flow:Event` doesn't derive from velella.core.shared_cache:SharedCache",
        ),
    ],
)
async def test_a_mistake_stops_the_start(use: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        CACHES.set_up(Settings(_env_file=None, providers={"cache": [ProviderSettings(use=use, options=options)]}))
    assert refused.value.message.startswith(said)


async def test_its_check_says_whether_redis_answers(redis_url: str) -> None:
    assert await RedisCache.check(url=redis_url) == "Redis answers"
    with pytest.raises(Unavailable):
        await RedisCache.check(url="unix:///nowhere.sock")
    assert tier_of(Settings(_env_file=None)) is None, "a shop that names none has none"
