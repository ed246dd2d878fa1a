"""Shared by tests of modules: the stand-ins for third parties, each started once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from ..parties import PARTIES, Party

Opened = Callable[[str], Awaitable[Party]]


@pytest.fixture(scope="package")
async def parties(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Opened]:
    there: dict[str, Party] = {}
    async with AsyncExitStack() as stack:

        async def opened(name: str) -> Party:
            if name not in there:
                there[name] = await stack.enter_async_context(PARTIES[name](tmp_path_factory.mktemp("party")))
                stack.push_async_callback(there[name].provider.close)
            return there[name]

        yield opened


@pytest.fixture
async def party(request: pytest.FixtureRequest, parties: Opened) -> Party:
    """The party that a test is parametrised with, by its name (`PARTIES`)."""
    return await parties(request.param)
