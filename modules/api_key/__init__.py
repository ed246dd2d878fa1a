"""API keys: publishable ones that identify storefronts, secret ones by which programs act as admins."""

from __future__ import annotations

from ...core.service.module import Module
from .service import ApiKeyService
from .tables import SCHEMA

MODULE = Module(name="api_key", schema=SCHEMA, service=ApiKeyService, package=__name__)
