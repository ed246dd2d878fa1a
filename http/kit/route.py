"""One route of the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from .access import Auth
from .bodies import Part
from .cached import Cached
from .filters import NOTHING, Filters
from .reply import Answer
from .view import View

Handler = Callable[[Any], Awaitable[Answer]]
"""Its parameter is the `Request`, whose class is in a file that imports this one."""


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One route. `Routes` makes them."""

    method: str
    path: str
    """With `{names}`: `/store/carts/{id}`."""
    handler: Handler
    auth: Auth
    body: type[Part] | None = None
    """Model of the body. None: the route takes none, and a body that is sent is ignored."""
    query: Filters | None = NOTHING
    """None: the query string is ignored."""
    returns: View | None = None
    many: bool = False
    """Answers with a list: takes offset, limit, order and with_deleted."""
    status: int = 200
    body_limit: int | None = None
    """Bytes a body may have. None: as in the settings."""
    raw_body: bool = False
    """The body is read but not parsed; see `request.raw`."""
    streams: bool = False
    """The body is left to the function, which reads it piece by piece (`request.http`) and has `upload_timeout` for that."""
    cached: Cached | None = None
    """Whether answers may be cached, and what makes them stale. None: they may not."""
    flag: str | None = None
    """The setting that says whether it is there at all. None: it always is."""
    overrides: bool = False
    """Whether it stands in the place of another file's route with this method and path."""
    says_auth: bool = True
    """Whether its file says whom it admits. Else it admits whom the route does that it overrides, or is guarded by its prefix."""
    summary: str = ""
    limit: int = 50
    """Rows of a page when the request names no limit."""
    envelope: tuple[str, ...] = ()
    """Names in the answer, if they aren't the view's envelope: for the API's description."""
    answers: str = "application/json"
    """Media type of the answer: for the API's description."""
