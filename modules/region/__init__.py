"""Regions and the countries of the world."""

from ...core.service.module import Module
from .service import RegionService

MODULE = Module(name="region", schema=RegionService.schema, service=RegionService, package=__name__, caching="rows")
