"""Links between things of different modules."""

from __future__ import annotations

from ...commerce.links import LINKS
from ...core.service.module import Module
from .service import LinkService
from .tables import SCHEMA

MODULE = Module(name="link", schema=SCHEMA, service=LinkService, package=__name__, links=LINKS)
