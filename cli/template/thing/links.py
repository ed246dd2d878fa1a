"""Links: what belongs together, many to many, though it is kept by different modules."""

from __future__ import annotations

from velella.core.graph.links import Column, End, link

# `thing.fans` and `customer.favourite_things`; its table is made and migrated like those of modules
FANS = link(
    End("thing.thing", name="favourite_things"),
    End("customer.customer", name="fans"),
    name="thing_fan",
    columns=(Column("note", "text", ""),),
)
