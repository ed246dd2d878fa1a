"""Statements of the pricing module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import compiled
from ...core.sql.write.undo import Aggregate, AggregatePart
from .tables import price, price_list_rule, price_rule

# The best price of each price set, the best override and the best sale of its price lists: at most three rows for each set, for a whole
# page of sets. `calculation` decides which of them is paid, and which is shown beside it.
#
# - `context` is {attribute: [values as text]}, `numbers` the same for values that can be compared: a rule about an attribute that the
#   context doesn't have never matches.
# - Every rule of a price has to match, and every rule of its price list. Of the matching prices, the one with most rules wins, then the
#   lowest amount, so a region's price goes before the currency's and a quantity's tier before the price without one.
# - `rules_count` is maintained by every writer of rules; prices without any (nearly all) are never joined with them.
CALCULATE = compiled(
    text("""
    WITH fitting AS (
        SELECT price.id, price.price_set_id, price.amount, price.min_quantity, price.max_quantity, price.rules_count,
               price.price_list_id, list.type AS price_list_type,
               price.rules_count + coalesce(list.rules_count, 0) AS specificity
        FROM price
        LEFT JOIN price_list AS list ON list.id = price.price_list_id
        WHERE price.price_set_id = ANY(CAST(:price_sets AS text[]))
          AND price.currency_code = CAST(:currency AS text)
          AND price.deleted_at IS NULL
          AND (price.min_quantity IS NULL OR price.min_quantity <= CAST(:quantity AS numeric))
          AND (price.max_quantity IS NULL OR price.max_quantity >= CAST(:quantity AS numeric))
          AND (price.rules_count = 0 OR NOT EXISTS (
              SELECT FROM price_rule AS rule
              WHERE rule.price_id = price.id AND rule.deleted_at IS NULL AND NOT coalesce(
                  CASE rule.operator
                      WHEN 'eq' THEN (CAST(:context AS jsonb) -> rule.attribute) ? rule.value
                      ELSE EXISTS (
                          SELECT FROM jsonb_array_elements_text(CAST(:numbers AS jsonb) -> rule.attribute) AS given (value)
                          WHERE CASE rule.operator
                              WHEN 'gt' THEN given.value::numeric > rule.value::numeric
                              WHEN 'gte' THEN given.value::numeric >= rule.value::numeric
                              WHEN 'lt' THEN given.value::numeric < rule.value::numeric
                              ELSE given.value::numeric <= rule.value::numeric
                          END
                      )
                  END, false)
          ))
          AND (price.price_list_id IS NULL OR (
              list.deleted_at IS NULL
              AND list.status = 'active'
              AND (list.starts_at IS NULL OR list.starts_at <= CAST(:now AS timestamptz))
              AND (list.ends_at IS NULL OR list.ends_at >= CAST(:now AS timestamptz))
              AND (list.rules_count = 0 OR NOT EXISTS (
                  SELECT FROM price_list_rule AS rule
                  WHERE rule.price_list_id = list.id AND rule.deleted_at IS NULL AND NOT coalesce(
                      rule.value ?| ARRAY(SELECT jsonb_array_elements_text(CAST(:context AS jsonb) -> rule.attribute)), false)
              ))
          ))
    ), best AS (
        SELECT DISTINCT ON (price_set_id, price_list_type) *
        FROM fitting
        ORDER BY price_set_id, price_list_type, specificity DESC, amount, id
    )
    SELECT best.price_set_id, best.id, best.price_list_id, best.price_list_type,
           trim_scale(best.amount) AS amount,
           best.min_quantity, best.max_quantity,
           coalesce(
               CASE WHEN best.rules_count > 0 AND EXISTS (
                   SELECT FROM price_rule AS rule
                   WHERE rule.price_id = best.id AND rule.deleted_at IS NULL
                     AND rule.attribute = 'region_id' AND rule.operator = 'eq' AND rule.value = CAST(:region AS text)
               ) THEN (
                   SELECT is_tax_inclusive FROM price_preference
                   WHERE attribute = 'region_id' AND value = CAST(:region AS text) AND deleted_at IS NULL
               ) END,
               (
                   SELECT is_tax_inclusive FROM price_preference
                   WHERE attribute = 'currency_code' AND value = CAST(:currency AS text) AND deleted_at IS NULL
               ),
               false
           ) AS is_tax_inclusive
    FROM best
""")
)

# The attributes of rules, and the times at which price lists begin or end to apply. The attributes of price rules are found by skipping
# from one to the next in their index, however many rules there are.
CONDITIONS = compiled(
    text("""
    WITH RECURSIVE used (attribute) AS (
        (SELECT attribute FROM price_rule WHERE deleted_at IS NULL ORDER BY attribute LIMIT 1)
        UNION ALL
        SELECT (SELECT rule.attribute FROM price_rule AS rule
                WHERE rule.deleted_at IS NULL AND rule.attribute > used.attribute ORDER BY rule.attribute LIMIT 1)
        FROM used WHERE used.attribute IS NOT NULL
    )
    SELECT ARRAY(SELECT attribute FROM used WHERE attribute IS NOT NULL
                 UNION SELECT attribute FROM price_list_rule WHERE deleted_at IS NULL) AS attributes,
           ARRAY(SELECT starts_at FROM price_list WHERE starts_at IS NOT NULL AND status = 'active' AND deleted_at IS NULL
                 UNION SELECT ends_at + interval '1 millisecond' FROM price_list
                 WHERE ends_at IS NOT NULL AND status = 'active' AND deleted_at IS NULL
                 ORDER BY 1) AS moments
""")
)

# A writer of a set's prices locks the set: two concurrent replacements come one after the other.
LOCK_PRICE_SETS = compiled(
    text("SELECT id FROM price_set WHERE id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL ORDER BY id FOR UPDATE")
)

# A writer of a price list, or of its prices, locks the list.
LOCK_PRICE_LISTS = compiled(
    text("SELECT id FROM price_list WHERE id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL ORDER BY id FOR UPDATE")
)

# The prices that a price list has for these sets, or (without a list) the sets' own.
PRICES = compiled(
    text("""
    SELECT price.id, price.price_set_id, price.currency_code, price.amount, price.min_quantity, price.max_quantity, price.title,
           coalesce(
               (SELECT jsonb_agg(jsonb_build_array(rule.attribute, rule.operator, rule.value) ORDER BY rule.attribute, rule.operator)
                FROM price_rule AS rule WHERE rule.price_id = price.id AND rule.deleted_at IS NULL),
               '[]'
           ) AS rules
    FROM price
    WHERE price.price_set_id = ANY(CAST(:ids AS text[])) AND price.deleted_at IS NULL
      AND price.price_list_id IS NOT DISTINCT FROM CAST(:price_list AS text)
    ORDER BY price.id
""")
)

FORGET_RULES = compiled(text("DELETE FROM price_rule WHERE price_id = ANY(CAST(:ids AS text[]))"))

FORGET_LIST_RULES = compiled(text("DELETE FROM price_list_rule WHERE price_list_id = ANY(CAST(:ids AS text[]))"))

SET_PREFERENCES = compiled(
    text("""
    WITH given AS (
        SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:attributes AS text[]), CAST(:values AS text[]), CAST(:inclusive AS boolean[]))
            AS given (id, attribute, value, is_tax_inclusive)
    ), was AS (
        SELECT preference.id, preference.is_tax_inclusive, preference.updated_at
        FROM price_preference AS preference JOIN given USING (attribute, value)
        WHERE preference.deleted_at IS NULL
        ORDER BY preference.id FOR NO KEY UPDATE OF preference
    ), stored AS (
        INSERT INTO price_preference AS preference (id, attribute, value, is_tax_inclusive)
        SELECT id, attribute, value, coalesce(is_tax_inclusive, false) FROM given
        WHERE (SELECT count(*) FROM was) >= 0  -- so that they are held, and read, before
        ON CONFLICT (attribute, value) WHERE deleted_at IS NULL
        DO UPDATE SET updated_at = clock_timestamp(), is_tax_inclusive = coalesce((
            SELECT given.is_tax_inclusive FROM given WHERE (given.attribute, given.value) = (excluded.attribute, excluded.value)
        ), preference.is_tax_inclusive)
        RETURNING id, is_tax_inclusive, updated_at
    )
    SELECT stored.id, given.id IS NOT NULL AS is_new, to_jsonb(was) AS was, to_jsonb(stored) AS stored
    FROM stored LEFT JOIN was USING (id) LEFT JOIN given USING (id)
""")
)

PRICE_ROWS = Aggregate(
    AggregatePart(price, "price_set_id = ANY(:ids)"),
    AggregatePart(price_rule, "price_id IN (SELECT id FROM price WHERE price_set_id = ANY(:ids))"),
)

RULES_OF_LISTS = Aggregate(AggregatePart(price_list_rule, "price_list_id = ANY(:ids)"))

SINGLE_PRICES = Aggregate(AggregatePart(price, "id = ANY(:ids)"), AggregatePart(price_rule, "price_id = ANY(:ids)"))
"""Prices by their own ids."""
