"""The store and what it supports."""

from ...core.service.module import Module
from .service import StoreService

MODULE = Module(name="store", schema=StoreService.schema, service=StoreService, package=__name__)
