"""Search: indexes of the shop's things, in versions, which a provider keeps and searches."""

from __future__ import annotations

from ...core.service.module import Module
from .provider import SearchProvider
from .providers.meilisearch import MeilisearchSearch
from .providers.postgres import PostgresSearch
from .service import SearchService
from .tables import SCHEMA

MODULE = Module(
    name="search",
    schema=SCHEMA,
    service=SearchService,
    package=__name__,
    provider_kinds={"postgres": PostgresSearch, "meilisearch": MeilisearchSearch},
    provider=SearchProvider,
    caching="none",
)
