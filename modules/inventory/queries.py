"""Every statement of the inventory module beyond what the kernel makes.

Levels are always locked in the order of item and location, so that writers of several levels never deadlock.
Reservations are locked before levels, by id.
"""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import answering_text, compiled

_KEEP = """
    INSERT INTO reservation_item (
        id, inventory_item_id, location_id, line_item_id, quantity, allow_backorder, external_id, description, created_by, metadata
    )
    SELECT line.id, line.inventory_item_id, line.location_id, line.line_item_id, line.quantity,
           coalesce(line.allow_backorder, false), line.external_id, line.description, line.created_by, line.metadata
    FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS line (
        id text, inventory_item_id text, location_id text, line_item_id text, quantity numeric, allow_backorder boolean,
        external_id text, description text, created_by text, metadata jsonb
    )
"""

# The levels that are `wanted`, in the order in which every writer locks them.
_LOCKED = """
    SELECT level.id, wanted.*, level.stocked_quantity - level.reserved_quantity AS available
    FROM inventory_level AS level
    JOIN wanted ON wanted.item_id = level.inventory_item_id AND wanted.location_id = level.location_id
    WHERE level.deleted_at IS NULL
    ORDER BY level.inventory_item_id, level.location_id
    FOR NO KEY UPDATE OF level
"""

# Reserve all or nothing, and store the reservations, in one statement, which answers by one JSON object:
#
# - `moment`: when it happened; null where something wasn't available, and then nothing has changed.
# - `ids`: of the reservations, in the order of the request.
# - `refused`: one entry for each level that refused. `known`: the level exists. `available`: what was available.
#
# Levels are locked before anything is decided, and a locked row is read as it is after waiting for another writer, so there is no oversell
# under any concurrency. A negative quantity gives back (a reservation that got smaller); `lines` may be empty.
RESERVE = answering_text(
    wanted="""
        SELECT * FROM unnest(
            CAST(:item_ids AS text[]), CAST(:location_ids AS text[]), CAST(:quantities AS numeric[]), CAST(:guards AS numeric[])
        ) AS wanted (item_id, location_id, quantity, guard)
    """,
    locked=_LOCKED,
    refused="""
        SELECT wanted.item_id, wanted.location_id, locked.id IS NOT NULL AS known, locked.available
        FROM wanted
        LEFT JOIN locked ON locked.item_id = wanted.item_id AND locked.location_id = wanted.location_id
        WHERE locked.id IS NULL OR (locked.guard > 0 AND locked.available < locked.guard)
    """,
    taken="""
        UPDATE inventory_level AS level
        SET reserved_quantity = level.reserved_quantity + locked.quantity, updated_at = now()
        FROM locked
        WHERE level.id = locked.id AND NOT EXISTS (SELECT FROM refused)
    """,
    kept=f"{_KEEP} WHERE NOT EXISTS (SELECT FROM refused)",
    outcome="""
        SELECT json_build_object(
            'moment', CASE WHEN NOT EXISTS (SELECT FROM refused) THEN
                to_char(timezone('UTC', CAST(now() AS timestamptz(3))), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
            END,
            'ids', CAST(:ids AS text[]),
            'refused', (SELECT coalesce(json_agg(refused ORDER BY item_id, location_id), '[]') FROM refused)
        ) AS outcome
    """,
)

# Goods leave the stock with what was reserved of them, or come back: reservations become smaller or larger or end (quantity 0), new ones
# are stored, and levels count both, in one statement. It answers by one JSON object: `levels`, the ids of those whose stock has changed;
# the given `answer`; and what was `refused`, as RESERVE does, with the `guard`; then nothing has changed.
#
# No row, and nothing is done, where a reservation doesn't hold what it `held` when it was read. A level that isn't there is made, where
# it is given an id.
MOVE = answering_text(
    given="SELECT * FROM jsonb_to_recordset(CAST(:reservations AS jsonb)) AS given (id text, held numeric, quantity numeric)",
    held="""
        SELECT reservation.id, given.quantity
        FROM reservation_item AS reservation
        JOIN given ON given.id = reservation.id
        WHERE reservation.deleted_at IS NULL AND reservation.quantity = given.held
        ORDER BY reservation.id
        FOR UPDATE OF reservation
    """,
    wanted="""
        SELECT * FROM unnest(
            CAST(:item_ids AS text[]), CAST(:location_ids AS text[]), CAST(:stocked AS numeric[]), CAST(:reserved AS numeric[]),
            CAST(:guards AS numeric[]), CAST(:level_ids AS text[])
        ) AS wanted (item_id, location_id, stocked, reserved, guard, level_id)
        WHERE (SELECT count(*) FROM held) = (SELECT count(*) FROM given)
    """,
    locked=_LOCKED,
    found="""
        SELECT wanted.*, locked.id, locked.available
        FROM wanted
        LEFT JOIN locked ON locked.item_id = wanted.item_id AND locked.location_id = wanted.location_id
    """,
    refused="""
        SELECT item_id, location_id, id IS NOT NULL AS known, available, guard
        FROM found
        WHERE coalesce(id, level_id) IS NULL OR (guard > 0 AND available < guard)
    """,
    granted="SELECT WHERE EXISTS (SELECT FROM wanted) AND NOT EXISTS (SELECT FROM refused)",
    changed="""
        UPDATE reservation_item AS reservation
        SET quantity = coalesce(nullif(held.quantity, 0), reservation.quantity),
            deleted_at = CASE WHEN held.quantity = 0 THEN now() END, updated_at = clock_timestamp()
        FROM held
        WHERE reservation.id = held.id AND EXISTS (SELECT FROM granted)
    """,
    counted="""
        UPDATE inventory_level AS level
        SET stocked_quantity = level.stocked_quantity + locked.stocked, reserved_quantity = level.reserved_quantity + locked.reserved,
            updated_at = now()
        FROM locked
        WHERE level.id = locked.id AND EXISTS (SELECT FROM granted)
    """,
    made="""
        INSERT INTO inventory_level (id, inventory_item_id, location_id, stocked_quantity, reserved_quantity)
        SELECT level_id, item_id, location_id, stocked, reserved FROM found WHERE id IS NULL AND EXISTS (SELECT FROM granted)
    """,
    kept=f"{_KEEP} WHERE EXISTS (SELECT FROM granted)",
    outcome="""
        SELECT json_build_object(
            'answer', CAST(:answer AS json),
            'levels', (SELECT coalesce(json_agg(coalesce(id, level_id) ORDER BY item_id, location_id), '[]') FROM found WHERE stocked <> 0),
            'refused', (SELECT coalesce(json_agg(refused ORDER BY item_id, location_id), '[]') FROM refused)
        ) AS outcome
        WHERE EXISTS (SELECT FROM wanted)
    """,
)

# Levels that several messages ask for, locked until all of them are decided. One row for each existing level.
HOLD = compiled(
    text("""
    SELECT level.inventory_item_id AS item_id, level.location_id, level.stocked_quantity - level.reserved_quantity AS available
    FROM inventory_level AS level
    JOIN unnest(CAST(:item_ids AS text[]), CAST(:location_ids AS text[])) AS wanted (item_id, location_id)
      ON wanted.item_id = level.inventory_item_id AND wanted.location_id = level.location_id
    WHERE level.deleted_at IS NULL
    ORDER BY level.inventory_item_id, level.location_id
    FOR NO KEY UPDATE OF level
""")
)

# Delete reservations and give back what they held. A reservation released by a concurrent writer isn't counted twice:
# a writer that waited for its row finds it deleted.
RELEASE = answering_text(
    chosen="""
        SELECT id FROM reservation_item
        WHERE deleted_at IS NULL AND (id = ANY(CAST(:ids AS text[])) OR line_item_id = ANY(CAST(:line_item_ids AS text[])))
        ORDER BY id
        FOR UPDATE
    """,
    released="""
        UPDATE reservation_item AS reservation
        SET deleted_at = now(), updated_at = now()
        FROM chosen
        WHERE reservation.id = chosen.id AND reservation.deleted_at IS NULL
        RETURNING reservation.*
    """,
    freed="""
        SELECT inventory_item_id, location_id, sum(quantity) AS quantity FROM released GROUP BY inventory_item_id, location_id
    """,
    locked="""
        SELECT level.id, freed.quantity
        FROM inventory_level AS level
        JOIN freed ON freed.inventory_item_id = level.inventory_item_id AND freed.location_id = level.location_id
        WHERE level.deleted_at IS NULL
        ORDER BY level.inventory_item_id, level.location_id
        FOR NO KEY UPDATE OF level
    """,
    given="""
        UPDATE inventory_level AS level
        SET reserved_quantity = level.reserved_quantity - locked.quantity, updated_at = now()
        FROM locked
        WHERE level.id = locked.id
    """,
    held="""
        SELECT coalesce(json_agg(json_build_object(
            'id', id, 'inventory_item_id', inventory_item_id, 'location_id', location_id, 'line_item_id', line_item_id,
            'quantity', trim_scale(quantity), 'allow_backorder', allow_backorder
        ) ORDER BY id), '[]') AS held
        FROM released
    """,
)

# The opposite of RELEASE, without a guard: the restored quantity was available before.
RESTORE = compiled(
    text("""
    WITH chosen AS (
        SELECT id FROM reservation_item
        WHERE deleted_at IS NOT NULL AND id = ANY(CAST(:ids AS text[]))
        ORDER BY id
        FOR UPDATE
    ), restored AS (
        UPDATE reservation_item AS reservation
        SET deleted_at = NULL, updated_at = now()
        FROM chosen
        WHERE reservation.id = chosen.id AND reservation.deleted_at IS NOT NULL
        RETURNING reservation.*
    ), held AS (
        SELECT inventory_item_id, location_id, sum(quantity) AS quantity FROM restored GROUP BY inventory_item_id, location_id
    ), locked AS (
        SELECT level.id, held.quantity
        FROM inventory_level AS level
        JOIN held ON held.inventory_item_id = level.inventory_item_id AND held.location_id = level.location_id
        WHERE level.deleted_at IS NULL
        ORDER BY level.inventory_item_id, level.location_id
        FOR NO KEY UPDATE OF level
    ), counted AS (
        UPDATE inventory_level AS level
        SET reserved_quantity = level.reserved_quantity + locked.quantity, updated_at = now()
        FROM locked
        WHERE level.id = locked.id
        RETURNING level.id
    )
    SELECT (SELECT array_agg(id ORDER BY id) FROM restored) AS ids,
           (SELECT count(*) FROM held) = (SELECT count(*) FROM counted) AS complete
""")
)

_RESERVED_FOR = """
    SELECT id, line_item_id, inventory_item_id, location_id, quantity, allow_backorder
    FROM reservation_item
    WHERE line_item_id = ANY(CAST(:line_item_ids AS text[])) AND deleted_at IS NULL
    ORDER BY id
"""
# Reservations for line items, as they are read for MOVE, and locked.
RESERVED_FOR = compiled(text(_RESERVED_FOR))
HOLD_RESERVED_FOR = compiled(text(f"{_RESERVED_FOR} FOR UPDATE"))

# The same, and in each row which of some items there are: one row with nothing else where nothing is reserved.
RESERVED_AND_ITEMS = compiled(
    text(f"""
    SELECT reserved.*, there.items
    FROM (
        SELECT coalesce(array_agg(id), '{{}}') AS items FROM inventory_item WHERE id = ANY(CAST(:item_ids AS text[])) AND deleted_at IS NULL
    ) AS there
    LEFT JOIN ({_RESERVED_FOR}) AS reserved ON true
""")
)

LOCK_RESERVATIONS = compiled(
    text("""
    SELECT id, inventory_item_id, location_id, quantity, allow_backorder
    FROM reservation_item
    WHERE id = ANY(CAST(:ids AS text[])) AND deleted_at IS NULL
    ORDER BY id
    FOR UPDATE
""")
)

# Change the stocked or incoming quantity. `how` is `set` (the new value) or `add` (a difference); a column that a row doesn't name
# stays. Levels are named by item and location.
CHANGE_LEVELS = compiled(
    text("""
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (
            inventory_item_id text, location_id text, stocked_quantity numeric, incoming_quantity numeric, metadata jsonb
        )
    ), locked AS (
        SELECT level.id, given.stocked_quantity, given.incoming_quantity, given.metadata,
               level.stocked_quantity AS was_stocked, level.incoming_quantity AS was_incoming, level.metadata AS was_metadata
        FROM inventory_level AS level
        JOIN given ON given.inventory_item_id = level.inventory_item_id AND given.location_id = level.location_id
        WHERE level.deleted_at IS NULL
        ORDER BY level.inventory_item_id, level.location_id
        FOR NO KEY UPDATE OF level
    )
    UPDATE inventory_level AS level
    SET stocked_quantity = CASE WHEN CAST(:how AS text) = 'add' THEN level.stocked_quantity + coalesce(locked.stocked_quantity, 0)
                                ELSE coalesce(locked.stocked_quantity, level.stocked_quantity) END,
        incoming_quantity = CASE WHEN CAST(:how AS text) = 'add' THEN level.incoming_quantity + coalesce(locked.incoming_quantity, 0)
                                 ELSE coalesce(locked.incoming_quantity, level.incoming_quantity) END,
        metadata = coalesce(locked.metadata, level.metadata),
        updated_at = now()
    FROM locked
    WHERE level.id = locked.id
    RETURNING level.id, level.inventory_item_id, level.location_id,
        jsonb_build_object('id', level.id, 'stocked_quantity', locked.was_stocked, 'incoming_quantity', locked.was_incoming,
                           'metadata', locked.was_metadata) AS was,
        jsonb_build_object('id', level.id, 'stocked_quantity', level.stocked_quantity, 'incoming_quantity', level.incoming_quantity,
                           'metadata', level.metadata) AS stored
""")
)

LOCK_LEVELS = compiled(
    text("""
    SELECT id, inventory_item_id, location_id, stocked_quantity, reserved_quantity
    FROM inventory_level
    WHERE deleted_at IS NULL AND (id = ANY(CAST(:ids AS text[])) OR inventory_item_id = ANY(CAST(:item_ids AS text[])))
    ORDER BY inventory_item_id, location_id
    FOR UPDATE
""")
)

# What can still be sold, for each item and location. `location_ids` NULL: everywhere.
AVAILABLE = compiled(
    text("""
    SELECT inventory_item_id, location_id, trim_scale(stocked_quantity - reserved_quantity) AS available
    FROM inventory_level
    WHERE deleted_at IS NULL AND inventory_item_id = ANY(CAST(:item_ids AS text[]))
      AND (CAST(:location_ids AS text[]) IS NULL OR location_id = ANY(CAST(:location_ids AS text[])))
""")
)
