"""Products, variants, options, images, categories, collections, tags and types."""

from ...core.service.module import Module
from .service import ProductService

MODULE = Module(name="product", schema=ProductService.schema, service=ProductService, package=__name__, caching="rows")
