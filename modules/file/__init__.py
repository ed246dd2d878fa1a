"""Files: images of products, imports and exports; a provider stores them."""

from __future__ import annotations

from ...core.service.module import Module
from .files import KINDS
from .provider import FileProvider
from .service import FileService
from .tables import SCHEMA

MODULE = Module(name="file", schema=SCHEMA, service=FileService, package=__name__, provider_kinds=KINDS, provider=FileProvider)
