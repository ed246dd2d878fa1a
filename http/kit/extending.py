"""What a plugin does to routes that aren't its own: it stands before them, replaces them, and says what their `additional_data` and
their query strings may hold.

routes = Routes()

@routes.middleware("/store/carts*", methods=("POST",))
async def no_robots(request: Request, go_on: Next) -> Answer:
    if "bot" in (request.header("user-agent") or ""):
        raise NotAllowed("Robots don't buy here.")
    return await go_on(request)

@routes.get("/store/collections", query=…, returns=…, overrides=True)
async def list_collections(request: Request) -> Answer: ...

class ProductData(Body):
    brand_id: str = ABSENT

routes.additional_data("POST", "/admin/products", ProductData)
routes.additional_query("GET", "/store/products", brand_id=meaning(MANY, "brand.id"))
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .bodies import Part
from .filters import ParameterKind
from .reply import Answer
from .request import Request
from .route import Route

Next = Callable[[Request], Awaitable[Answer]]
"""Carries out the rest: the next middleware, or the route's function."""
Middleware = Callable[[Request, Next], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Before:
    """A middleware, and the routes that it stands before."""

    path: str
    methods: tuple[str, ...]
    function: Middleware

    def matches(self, route: Route) -> bool:
        return (not self.methods or route.method in self.methods) and fnmatchcase(anonymous(route.path), anonymous(self.path))


@dataclass(frozen=True, slots=True)
class Extra:
    """Fields of the `additional_data` of a route."""

    method: str
    path: str
    model: type[Part]


@dataclass(frozen=True, slots=True)
class Asked:
    """Parameters of the query string of a route."""

    method: str
    path: str
    kinds: Mapping[str, ParameterKind]


def anonymous(path: str) -> str:
    """The path with every parameter called alike."""
    return re.sub(r"\{\w+\}", "{}", path)
