"""How a row of the route table writes where that isn't plain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.rows import Row
from ...workflows.kit import Workflow
from .bodies import Part
from .filters import NOTHING, Filters
from .request import Request

Within = Mapping[str, str | Callable[[Request], str]]


@dataclass(frozen=True, slots=True)
class Write:
    """How a resource row creates or updates where that isn't plain.

    create=Write(CreateRegion, create_regions)
    create=Write(CreateReservation, before=signed)
    """

    body: type[Part]
    run: Workflow[..., Any] | Callable[[Request, Row], Awaitable[Any]] | None = None
    """A workflow other than the row's, or a function that runs one: it gets the row, and returns the id (create) or nothing (update)."""
    before: Callable[[Request, Row], Awaitable[Row] | Row] | None = None
    """Makes the module's row from the body, which it may change. Async if it has to read something."""
    body_limit: int | None = None
    query: Filters = NOTHING
    """Parameters of the query string besides `fields`."""
    status: int = 200
