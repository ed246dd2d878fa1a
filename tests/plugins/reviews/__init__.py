"""Reviews: what buyers say of products. A plugin as its author would write it, outside of Velella's own repository.

docs/writing-a-module.md is about this package.
"""

from __future__ import annotations

from velella.core.graph.links import Column, End, link
from velella.core.plugins import Options, Plugin

from .rules import ByTheDozen, EmailDomain, ThirdFree


class ReviewOptions(Options):
    forget_after_days: int = 90
    """How long the addresses are kept of those who were asked for a review."""


WISHES = link(
    End("customer.customer", name="wished_by"),  # product.wished_by, and customer.wished_products
    End("product.product", name="wished_products"),
    name="wish",
    columns=(Column("note", "text", ""),),
)

plugin = Plugin(__name__, ReviewOptions, links=[WISHES], rules=[EmailDomain(), ByTheDozen(), ThirdFree()])
