"""The world's currencies."""

from ...core.service.module import Module
from .service import CurrencyService

MODULE = Module(name="currency", schema=CurrencyService.schema, service=CurrencyService, package=__name__, caching="rows")
