"""The description of the API holds: what it allows never breaks the server, and what comes back is what it says."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import given
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from velella.actors.cluster.postgres import EmbeddedPostgres
from velella.http.server import found_routes

from ..conftest import clone
from .asking import caller, some_of
from .conftest import walked_shop
from .facts import anonymous
from .walk import Shop

EXAMPLES = int(os.environ.get("VELELLA_EXAMPLES", "3"))
"""Of each route."""
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
ROUTES = sorted(f"{route.method} {route.path}" for route in found_routes())


@pytest.fixture(scope="module")
async def described(postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Shop, Any]]:
    """A shop of its own, which all sorts of things are done to, and its description."""
    async with walked_shop(await clone(postgres, migrated), tmp_path_factory.mktemp("described")) as shop:
        document = (await shop.guest.raw("GET", "/openapi.json")).json
        yield shop, schemathesis.openapi.from_dict(document)


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # schemathesis does
@pytest.mark.parametrize("name", ROUTES)
async def test_a_route_is_as_it_is_described(described: tuple[Shop, Any], name: str) -> None:
    shop, schema = described
    method, _, path = name.partition(" ")
    api = caller(shop, anonymous(name))
    known = await some_of(shop, path)

    @hypothesis.settings(max_examples=EXAMPLES, database=None)
    @given(case=schema[path][method].as_strategy())
    def ask(case: Any) -> None:
        if method != "DELETE":
            case.path_parameters.update(known)
        response = case.call(base_url=api.base, headers=dict(api.headers), timeout=20)
        case.validate_response(response, checks=CHECKS)

    await asyncio.to_thread(ask)
