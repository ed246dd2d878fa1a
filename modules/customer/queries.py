"""Statements of the customer module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import compiled

# A writer of a customer's default addresses locks the customer: concurrent writers come one after the other.
LOCK_CUSTOMERS = compiled(
    text("SELECT id FROM customer WHERE id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE")
)

# Addresses that stop being the default because others replace them.
UNSET_DEFAULTS = compiled(
    text("""
    WITH was AS (
        SELECT id, is_default_shipping, is_default_billing, updated_at FROM customer_address
        WHERE deleted_at IS NULL
          AND ((is_default_shipping AND customer_id = ANY(CAST(:shipping AS text[])))
               OR (is_default_billing AND customer_id = ANY(CAST(:billing AS text[]))))
        ORDER BY id FOR NO KEY UPDATE
    ), stored AS (
        UPDATE customer_address AS address
        SET is_default_shipping = address.is_default_shipping AND NOT address.customer_id = ANY(CAST(:shipping AS text[])),
            is_default_billing = address.is_default_billing AND NOT address.customer_id = ANY(CAST(:billing AS text[])),
            updated_at = now()
        FROM was WHERE address.id = was.id
        RETURNING address.id, address.is_default_shipping, address.is_default_billing, address.updated_at
    )
    SELECT to_jsonb(was) AS was, to_jsonb(stored) AS stored FROM was JOIN stored USING (id)
""")
)

# Customers whose addresses are too many, or too large, to be read together.
CROWDED = compiled(
    text("""
    SELECT customer_id FROM customer_address WHERE customer_id = ANY(CAST(:customers AS text[])) AND deleted_at IS NULL
    GROUP BY customer_id
    HAVING count(*) > CAST(:many AS integer) OR coalesce(sum(octet_length(CAST(metadata AS text))), 0) > CAST(:metadata AS integer)
    LIMIT 1
""")
)

JOIN_GROUPS = compiled(
    text("""
    INSERT INTO customer_group_customer (id, customer_id, customer_group_id, created_by)
    SELECT pair.* FROM unnest(
        CAST(:ids AS text[]), CAST(:customer_ids AS text[]), CAST(:group_ids AS text[]), CAST(:created_by AS text[])
    ) AS pair (id, customer_id, customer_group_id, created_by)
    JOIN customer ON customer.id = pair.customer_id AND customer.deleted_at IS NULL
    JOIN customer_group ON customer_group.id = pair.customer_group_id AND customer_group.deleted_at IS NULL
    ORDER BY pair.customer_id, pair.customer_group_id
    ON CONFLICT (customer_id, customer_group_id) DO UPDATE SET updated_at = now()
    RETURNING id, customer_id, customer_group_id, updated_at
""")
)

LEAVE_GROUPS = compiled(
    text("""
    DELETE FROM customer_group_customer AS member
    USING unnest(CAST(:customer_ids AS text[]), CAST(:group_ids AS text[])) AS pair (customer_id, customer_group_id)
    WHERE member.customer_id = pair.customer_id AND member.customer_group_id = pair.customer_group_id
    RETURNING member.customer_id, to_jsonb(member) AS was
""")
)

# The guest with an email, created if there is none. A statement that waited for a concurrent insert doesn't see its row: it is repeated.
GUEST = compiled(
    text("""
    WITH made AS (
        INSERT INTO customer (id, email, has_account)
        SELECT CAST(:id AS text), CAST(:email AS text), false
        WHERE NOT EXISTS (SELECT FROM customer WHERE email = CAST(:email AS text) AND NOT has_account AND deleted_at IS NULL)
        ON CONFLICT (email, has_account) WHERE deleted_at IS NULL DO NOTHING
        RETURNING id
    )
    SELECT id, true AS is_new FROM made
    UNION ALL SELECT id, false FROM customer WHERE email = CAST(:email AS text) AND NOT has_account AND deleted_at IS NULL
    LIMIT 1
""")
)
