"""Links: which things of different modules belong together."""

from __future__ import annotations

from ...core.service.module import Module
from .service import LinkService
from .tables import SCHEMA

MODULE = Module(name="link", schema=SCHEMA, service=LinkService, package=__name__)
