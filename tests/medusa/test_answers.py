"""What a merchant and a storefront ask is answered as Medusa answers it, or differs for a reason that we give."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.actors.host import local_host
from velella.actors.services import service_names
from velella.cli.accounts import create_admin
from velella.core.settings import Settings
from velella.http.server import FrontEnd
from velella.workflows.defaults import seed_defaults

from ..conftest import clone
from ..signing import UNLIMITED
from .compare import differences
from .ground import LOGIN
from .recorded import SCENARIOS, answers, play, unexplained


@pytest.fixture(scope="module")
async def base(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """URL of an empty shop with an admin user. Its messages are encoded as they are between pools."""
    folder = Path(tmp_path_factory.mktemp("medusa"))
    settings = Settings(
        database_url=await clone(postgres, migrated), port=0, data_dir=folder, view_configurations=True, **UNLIMITED
    ).with_secrets()
    async with local_host(settings, service_names(settings), wire_check=True) as host:
        front = host.services["http"]
        assert isinstance(front, FrontEnd)
        await seed_defaults(host.modules)
        await create_admin(host.modules, *LOGIN)
        yield f"http://127.0.0.1:{front.port}"


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_answers_are_those_of_medusa(base: str, scenario: str) -> None:
    unknown, stale = unexplained(scenario, differences(answers(scenario), await play(scenario, base)))
    assert not unknown, "\n".join(map(str, unknown))
    assert not stale, f"reasons for what doesn't differ any more: {stale}"
