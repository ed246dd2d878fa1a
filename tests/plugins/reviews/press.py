"""What magazines write of products: kept by a third party, and shown as if it were ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Integer, Table, Text

from velella.core.errors import NotAllowed
from velella.core.graph.links import Reference
from velella.core.service.module import Module
from velella.core.service.third_party import ThirdPartyService
from velella.core.sql.schema.columns import module_metadata
from velella.core.sql.schema.entity import Entity
from velella.core.sql.schema.schema import Schema

ARCHIVE: list[dict[str, Any]] = []
"""The third party's. A real one is asked over HTTP."""

report = Table("press_report", module_metadata(), Column("id", Text), Column("product_id", Text), Column("stars", Integer))


class PressService(ThirdPartyService):
    name = "press"
    schema = Schema("press", Entity("press_report", report, label="Press report"))

    async def find(self, entity: str, keys: Mapping[str, Sequence[Any]]) -> Sequence[Mapping[str, Any]]:
        """The reports with these ids, or of these products."""
        if not keys:
            raise NotAllowed("Say of which products.")
        return [each for each in ARCHIVE if all(each.get(column) in values for column, values in keys.items())]


MODULE = Module(
    name="press",
    schema=PressService.schema,
    service=PressService,
    package=__name__,
    references=(Reference("press_report", "product", "product_id", "product", back="press_reports"),),
)
