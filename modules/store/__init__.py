"""The store and what it supports."""

from ...core.module import Module
from .service import StoreService

MODULE = Module(name="store", schema=StoreService.schema, service=StoreService, package=__name__)
