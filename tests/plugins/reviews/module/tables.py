"""Reviews, and whom we asked for one."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, Table, Text, UniqueConstraint

from velella.core.sql.schema.columns import identity, metadata_column, module_metadata, timestamps
from velella.core.sql.schema.entity import Entity
from velella.core.sql.schema.schema import Schema

metadata = module_metadata()

review = Table(
    "review",
    metadata,
    identity(),
    Column("product_id", Text, nullable=False, index=True),  # another module's: no foreign key, it may lie in another database
    Column("rating", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("content", Text),
    Column("email", Text),
    metadata_column(),
    *timestamps(),
    CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
)

review_request = Table(
    "review_request",
    metadata,
    identity(),
    Column("order_id", Text, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("email", Text, nullable=False),
    *timestamps(),
    UniqueConstraint("order_id", "product_id"),
)

SCHEMA = Schema(
    "review",
    Entity(
        "review",
        review,
        prefix="rev",
        label="Review",
        translatable=("title", "content"),
        searchable=("title", "content"),
        hidden=frozenset({"email"}),
    ),
    Entity("review_request", review_request, prefix="revreq", label="Review request"),
)
