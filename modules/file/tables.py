"""The rows about files. A provider stores their contents."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Table, Text

from ...core.sql.schema.columns import identity, module_metadata, timestamps
from ...core.sql.schema.entity import Entity
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

file = Table(
    "file",
    metadata,
    identity(),  # the name under which the provider stores it
    Column("filename", Text, nullable=False),  # its name at the uploader's
    Column("mime_type", Text, nullable=False),
    Column("size", BigInteger),  # bytes
    Column("access", Text, nullable=False, server_default="public"),
    Column("url", Text),  # of public files; private ones get a temporary one on request
    Column("created_by", Text),
    *timestamps(),
    CheckConstraint("access IN ('public', 'private')", name="access"),
)

SCHEMA = Schema("file", Entity("file", file, label="File", searchable=("filename",), default_order=("-created_at", "id")))
