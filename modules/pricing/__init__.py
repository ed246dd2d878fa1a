"""Price sets, prices with rules, price lists, and whether prices include tax."""

from ...core.service.module import Module
from .service import PricingService

MODULE = Module(name="pricing", schema=PricingService.schema, service=PricingService, package=__name__, caching="rows")
