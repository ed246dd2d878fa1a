"""Customers, their addresses and their groups."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text, UniqueConstraint, false

from ...commerce.addresses import address_columns
from ...core.sql.schema.columns import email_column, identity, metadata_column, module_metadata, timestamps, trigrams
from ...core.sql.schema.deltas import keep_deltas
from ...core.sql.schema.entity import Entity, many, one, through
from ...core.sql.schema.schema import Schema

metadata = module_metadata()

customer = Table(
    "customer",
    metadata,
    identity(),
    Column("company_name", Text),
    Column("first_name", Text),
    Column("last_name", Text),
    email_column(),
    Column("phone", Text),
    Column("has_account", Boolean, nullable=False, server_default=false()),
    Column("created_by", Text),
    metadata_column(),
    *timestamps(),
)
# A guest and a registered customer may share an email: the guest's orders stay separate until they are claimed.
Index(
    "uq_customer_email_has_account", customer.c.email, customer.c.has_account, unique=True, postgresql_where=customer.c.deleted_at.is_(None)
)

trigrams(customer, "company_name", "first_name", "last_name", "email", "phone")
keep_deltas(customer, "email", "has_account", "created_at")

customer_address = Table(
    "customer_address",
    metadata,
    identity(),
    Column("customer_id", Text, ForeignKey("customer.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("address_name", Text),
    Column("is_default_shipping", Boolean, nullable=False, server_default=false()),
    Column("is_default_billing", Boolean, nullable=False, server_default=false()),
    *address_columns(),
    metadata_column(),
    *timestamps(),
)
for _kind in ("shipping", "billing"):
    _flag = customer_address.c[f"is_default_{_kind}"]
    Index(
        f"uq_customer_address_default_{_kind}",
        customer_address.c.customer_id,
        unique=True,
        postgresql_where=_flag & customer_address.c.deleted_at.is_(None),
    )

customer_group = Table(
    "customer_group",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("created_by", Text),
    metadata_column(),
    *timestamps(),
)
Index("uq_customer_group_name", customer_group.c.name, unique=True, postgresql_where=customer_group.c.deleted_at.is_(None))

# Memberships. Rows are deleted for good when a customer leaves a group; a softly deleted customer or group merely hides them,
# so that restoring either brings its memberships back.
customer_group_customer = Table(
    "customer_group_customer",
    metadata,
    identity(),
    Column("customer_id", Text, ForeignKey("customer.id", ondelete="CASCADE"), nullable=False),
    Column("customer_group_id", Text, ForeignKey("customer_group.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_by", Text),
    metadata_column(),
    *timestamps(),
    UniqueConstraint("customer_id", "customer_group_id"),
)

SCHEMA = Schema(
    "customer",
    Entity(
        "customer",
        customer,
        prefix="cus",
        label="Customer",
        relations={
            "addresses": many("customer_address", "customer_id", cascade=True),
            "groups": through("customer_group", customer_group_customer, "customer_id", "customer_group_id"),
        },
        searchable=("company_name", "first_name", "last_name", "email", "phone"),
    ),
    Entity(
        "customer_address",
        customer_address,
        prefix="cuaddr",
        label="Customer address",
        bare=True,
        relations={"customer": one("customer", "customer_id")},
        searchable=(
            "address_name",
            "company",
            "first_name",
            "last_name",
            "address_1",
            "address_2",
            "city",
            "province",
            "postal_code",
        ),
    ),
    Entity(
        "customer_group",
        customer_group,
        prefix="cusgroup",
        label="Customer group",
        bare=True,
        relations={"customers": through("customer", customer_group_customer, "customer_group_id", "customer_id")},
        translatable=("name",),
        searchable=("name",),
    ),
    Entity(
        "customer_group_customer",
        customer_group_customer,
        prefix="cusgc",
        label="Customer group customer",
        relations={"customer": one("customer", "customer_id"), "customer_group": one("customer_group", "customer_group_id")},
    ),
)
