"""What Sanity has of products, shown as if it were ours: `product.sanity_product`."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from cachetools import LRUCache
from sqlalchemy import Column, Table, Text

from velella.core.errors import NotAllowed, VelellaError
from velella.core.graph.links import Reference
from velella.core.message import reads, repeatable
from velella.core.service.module import Module
from velella.core.service.third_party import ThirdPartyService
from velella.core.sql.schema.columns import Json, Timestamp, module_metadata
from velella.core.sql.schema.entity import Entity
from velella.core.sql.schema.schema import Schema

from . import plugin
from .client import Document, Sanity

log = logging.getLogger(__name__)

KNOWN = 2000
"""Documents that a process keeps."""
REST = 10.0
"""Seconds for which nobody waits for Sanity after it hasn't answered."""

content = Table(
    "sanity_product",
    module_metadata(),
    Column("id", Text, primary_key=True),  # the product's
    Column("body", Json),
    Column("translations", Json),
    Column("updated_at", Timestamp),
)
SHOWN = "*[_type == $type && _id in $ids]{_id, body, translations, _updatedAt}"


class SanityService(ThirdPartyService):
    """Reads and writes documents of products."""

    name = "sanity"
    schema = Schema("sanity", Entity("sanity_product", content, label="Content of a product"))

    async def start(self) -> None:
        await super().start()
        self._options = plugin.options(self.context.settings)
        self._sanity = Sanity(self._options)
        self._known: LRUCache[str, tuple[float, Document | None]] = LRUCache(KNOWN)
        self._rests_until = 0.0

    async def stop(self) -> None:
        await self._sanity.close()
        await super().stop()

    async def check(self) -> str:
        await self._sanity.documents(["prod_none"])
        return "Sanity answers, and knows the token"

    async def find(self, entity: str, keys: Mapping[str, Sequence[Any]]) -> Sequence[Mapping[str, Any]]:
        """What is published of these products. While Sanity doesn't answer: what it said last, or nothing. The shop goes on selling."""
        if "id" not in keys:
            raise NotAllowed("Say of which products.")
        ids, now = keys["id"], time.monotonic()
        old = [id for id in ids if id not in self._known or self._known[id][0] < now - self._options.fresh_seconds]
        if old and now >= self._rests_until:
            try:
                found = await self._sanity.query(SHOWN, type=self._options.document_type, ids=old)
            except VelellaError as error:
                self._rests_until = time.monotonic() + REST
                log.warning("Products are shown without what Sanity has of them: %s (%s)", error.message, error.hint)
            else:
                by_id = {document["_id"]: document for document in found}
                self._known.update((id, (now, by_id.get(id))) for id in old)
        documents = [self._known.get(id, (now, None))[1] for id in ids]
        return [
            {"id": each["_id"], "body": each["body"], "translations": each["translations"], "updated_at": each["_updatedAt"]}
            for each in documents
            if each is not None
        ]

    @reads
    async def read_documents(self, ids: Sequence[str]) -> dict[str, Document]:
        """Documents by id, as they are now."""
        return await self._sanity.documents(ids)

    @repeatable
    async def change_documents(self, mutations: Sequence[Document]) -> bool:
        """Change documents, all or none. False: one has changed since it was read."""
        return await self._sanity.mutate(mutations)


MODULE = Module(
    name="sanity",
    schema=SanityService.schema,
    service=SanityService,
    package=__name__,
    references=(Reference("sanity_product", "product", "id", "product", back="sanity_product", back_many=False),),
)
