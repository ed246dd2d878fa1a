"""The module of things: their table, and the messages by which they are read and written."""

from velella.core.graph.links import Reference
from velella.core.service.module import Module

from .service import ThingService
from .tables import SCHEMA

MODULE = Module(
    name="thing",
    schema=SCHEMA,
    service=ThingService,
    package=__name__,
    # a thing's product is `thing.product`; the things of a product are `product.things`
    references=(Reference("thing", "product", "product_id", "product", back="things"),),
)
