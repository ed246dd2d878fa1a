"""Statements of the search module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import compiled

# -- indexes and their versions

STANDING = compiled(
    text("""
    SELECT index.name, index.deleted_at IS NOT NULL AS deleted, active.status, newest.status AS newest, newest.definition_hash,
        (SELECT count(*) FROM search_index_version WHERE search_index_id = index.id) AS made,
        ARRAY(SELECT version.id FROM search_index_version AS version WHERE version.search_index_id = index.id
              AND version.provider = :provider AND version.deleted_at IS NULL AND version.status IN ('building', 'ready')
              ORDER BY version.version) AS live,
        ARRAY(SELECT version.id FROM search_index_version AS version WHERE version.search_index_id = index.id
              AND version.provider = :provider AND (version.deleted_at IS NOT NULL OR version.status = 'error')
              AND version.physical_name <> '' ORDER BY version.version) AS leftover,
        EXISTS (SELECT FROM search_index_version AS version WHERE version.search_index_id = index.id
                AND version.provider <> :provider AND version.deleted_at IS NULL) AS elsewhere
    FROM search_index AS index
    LEFT JOIN search_index_version AS active ON active.search_index_id = index.id AND active.version = index.active_version
        AND active.provider = :provider AND active.deleted_at IS NULL
    LEFT JOIN LATERAL (
        SELECT version.status, version.definition_hash FROM search_index_version AS version WHERE version.search_index_id = index.id
        AND version.provider = :provider AND version.deleted_at IS NULL ORDER BY version.version DESC LIMIT 1
    ) AS newest ON true
""")
)
ACTIVE = compiled(
    text("""
    SELECT version.id FROM search_index AS index
    JOIN search_index_version AS version ON version.search_index_id = index.id AND version.version = index.active_version
    WHERE index.name = :name AND index.deleted_at IS NULL AND version.provider = :provider AND version.deleted_at IS NULL
""")
)
LOCK = compiled(text("SELECT id FROM search_index WHERE name = :name FOR UPDATE"))
"""Whoever writes documents of an index, or changes its versions, does so alone: the versions that are read next are all there are."""
LIVE = compiled(
    text("""
    SELECT version.id FROM search_index_version AS version JOIN search_index AS index ON index.id = version.search_index_id
    WHERE index.name = :name AND index.deleted_at IS NULL AND version.provider = :provider AND version.deleted_at IS NULL
    AND version.status IN ('building', 'ready') ORDER BY version.id
""")
)
INDEX = compiled(
    text("""
    INSERT INTO search_index AS known (id, name) VALUES (:id, :name)
    ON CONFLICT (name) DO UPDATE SET deleted_at = NULL, updated_at = now() RETURNING id, active_version
""")
)
LAST = compiled(text("SELECT coalesce(max(version), 0) FROM search_index_version WHERE search_index_id = :id"))
ACTIVATE = compiled(
    text("""
    UPDATE search_index SET active_version = :version, updated_at = now()
    WHERE id = :id AND deleted_at IS NULL AND coalesce(active_version, 0) < :version RETURNING id
""")
)
DROP_INDEX = compiled(
    text("""
    UPDATE search_index SET deleted_at = now(), active_version = NULL, updated_at = now()
    WHERE name = :name AND deleted_at IS NULL RETURNING id
""")
)
DROP_VERSIONS = compiled(
    text("""
    UPDATE search_index_version SET deleted_at = now(), updated_at = now()
    WHERE search_index_id = :id AND version < :below AND deleted_at IS NULL RETURNING id
""")
)
DROP_ELSEWHERE = compiled(
    text("""
    UPDATE search_index_version AS version SET deleted_at = now(), updated_at = now() FROM search_index AS index
    WHERE index.id = version.search_index_id AND index.name = :name AND version.provider <> :provider AND version.deleted_at IS NULL
""")
)
DROP_LOST = compiled(text("UPDATE search_index_version SET deleted_at = now(), updated_at = now() WHERE id = :id AND deleted_at IS NULL"))
SWEPT = compiled(text("UPDATE search_index_version SET physical_name = '', updated_at = now() WHERE id = ANY (CAST(:ids AS text[]))"))
"""Nothing is kept under no name."""
STATUS = compiled(
    text("""
    UPDATE search_index_version SET status = :status, updated_at = now() WHERE id = :id AND deleted_at IS NULL RETURNING id
""")
)
PROGRESS = compiled(
    text("""
    UPDATE search_index_sync SET documents_synced = documents_synced + :count, last_key = coalesce(:last_key, last_key), updated_at = now()
    WHERE id = :id
""")
)
END = compiled(
    text("""
    UPDATE search_index_sync SET status = :status, error = :error, resumable = false, completed_at = now(), updated_at = now()
    WHERE id = :id AND status = 'processing' RETURNING id
""")
)

# -- what waits

TICKET = compiled(text("SELECT nextval(pg_get_serial_sequence('search_pending', 'position'))"))
MARK = compiled(
    text("""
    INSERT INTO search_pending (key, whole)
    SELECT key, whole FROM unnest(CAST(:keys AS text[]), CAST(:whole AS boolean[])) AS given (key, whole) ORDER BY key, whole
    ON CONFLICT (key, whole) DO UPDATE SET position = nextval(pg_get_serial_sequence('search_pending', 'position')), kept = false
""")
)
"""What is marked again while it is indexed has another position: it is indexed once more."""
WAITING = compiled(text("SELECT key, whole, position FROM search_pending WHERE NOT kept ORDER BY position LIMIT :most"))
SETTLE = compiled(
    text("""
    WITH settled AS (
        SELECT whole, position FROM search_pending WHERE position = ANY (CAST(:positions AS bigint[])) ORDER BY key, whole FOR UPDATE
    ), filling AS (
        SELECT EXISTS (
            SELECT FROM search_index_sync AS sync JOIN search_index_version AS version ON version.id = sync.search_index_version_id
            WHERE sync.status = 'processing' AND version.deleted_at IS NULL AND version.status IN ('building', 'ready')
        ) AS now
    ), kept AS (
        UPDATE search_pending AS mark SET kept = true FROM settled, filling
        WHERE mark.position = settled.position AND NOT settled.whole AND filling.now
    )
    DELETE FROM search_pending AS mark USING settled, filling
    WHERE mark.position = settled.position AND (settled.whole OR NOT filling.now)
""")
)
"""In the order in which they are marked. Marks of parts are kept while something is filled: a document that was read before the part
changed may be written after it was looked for."""
APPLY_KEPT = compiled(
    text("""
    WITH mine AS (SELECT position FROM search_pending WHERE kept ORDER BY key, whole FOR UPDATE)
    UPDATE search_pending AS mark SET kept = false FROM mine WHERE mark.position = mine.position
""")
)

# -- documents of the PostgreSQL provider

UPSERT = compiled(
    text("""
    WITH given AS (
        SELECT given.*, setweight(to_tsvector('simple', coalesce(given.a, '')), 'A')
            || setweight(to_tsvector('simple', coalesce(given.b, '')), 'B') || setweight(to_tsvector('simple', coalesce(given.c, '')), 'C')
            || setweight(to_tsvector('simple', coalesce(given.d, '')), 'D') AS words
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id text, a text, b text, c text, d text, fields jsonb, parts jsonb)
    ), stored AS (
        INSERT INTO search_document AS known (version_id, id, ticket, words, fields, parts)
        SELECT CAST(:version AS text), id, CAST(:ticket AS bigint), CASE WHEN fields IS NOT NULL THEN words END, fields,
            ARRAY(SELECT jsonb_array_elements_text(given.parts))
        FROM given ORDER BY id
        ON CONFLICT (version_id, id) DO UPDATE SET
            ticket = excluded.ticket, words = excluded.words, fields = excluded.fields, parts = excluded.parts
        WHERE known.ticket < excluded.ticket
    )
    INSERT INTO search_word (version_id, word, spellings)
    SELECT CAST(:version AS text), word,
        ARRAY(SELECT word UNION SELECT left(word, n - 1) || substr(word, n + 1) FROM generate_series(1, length(word)) AS n)
    FROM (SELECT DISTINCT unnest(tsvector_to_array(words)) AS word FROM given) AS said
    WHERE length(word) BETWEEN 4 AND 24 AND word !~ '[0-9]' ORDER BY word
    ON CONFLICT (version_id, word) DO NOTHING
""")
)
"""Numbers and codes aren't corrected: there are as many as things, and one letter is another thing."""
GONE = compiled(
    text("""
    INSERT INTO search_document AS known (version_id, id, ticket, parts)
    SELECT CAST(:version AS text), id, CAST(:ticket AS bigint), ARRAY[]::text[] FROM unnest(CAST(:ids AS text[])) AS id ORDER BY id
    ON CONFLICT (version_id, id) DO UPDATE SET ticket = excluded.ticket, words = NULL, fields = NULL, parts = excluded.parts
    WHERE known.ticket < excluded.ticket
""")
)
OLDER = compiled(
    text("""
    UPDATE search_document SET ticket = :ticket, words = NULL, fields = NULL, parts = ARRAY[]::text[]
    WHERE version_id = :version AND ticket < :ticket
""")
)
MADE_OF = compiled(text("SELECT id FROM search_document WHERE version_id = :version AND parts && CAST(:parts AS text[])"))
FORGET = compiled(text("DELETE FROM search_document WHERE version_id = :version"))
FORGET_WORDS = compiled(text("DELETE FROM search_word WHERE version_id = :version"))

SPELT = compiled(
    text("""
    SELECT number, known.word FROM jsonb_to_recordset(CAST(:words AS jsonb)) AS given (number int, spellings jsonb),
    LATERAL (SELECT word FROM search_word WHERE version_id = :version
             AND spellings && ARRAY(SELECT jsonb_array_elements_text(given.spellings)) LIMIT 100) AS known
""")
)

SEARCH = compiled(
    text("""
    WITH query AS MATERIALIZED (
        SELECT CASE WHEN numnode(needed) > 0 THEN needed END AS needed, CASE WHEN numnode(ranked) > 0 THEN ranked END AS ranked,
            CAST(CAST(:visible AS text) AS jsonpath) AS visible, CAST(CAST(:condition AS text) AS jsonpath) AS condition
        FROM (SELECT to_tsquery('simple', CAST(:needed AS text)) AS needed, to_tsquery('simple', CAST(:ranked AS text)) AS ranked) AS parsed
    ), candidate AS NOT MATERIALIZED (
        SELECT id, fields, words FROM search_document
        WHERE version_id = :version AND words @@ (SELECT needed FROM query)
        UNION ALL
        SELECT id, fields, words FROM search_document
        WHERE (SELECT needed IS NULL FROM query) AND CAST(:selective AS boolean)
        AND version_id = :version AND fields @? (SELECT condition FROM query)
        UNION ALL
        SELECT id, fields, words FROM search_document
        WHERE (SELECT needed IS NULL FROM query) AND NOT CAST(:selective AS boolean) AND version_id = :version
    ), matched AS MATERIALIZED (
        SELECT id, fields, score FROM (
            SELECT id, fields, coalesce(ts_rank_cd(words, (SELECT ranked FROM query), 32), 0) AS score FROM candidate
            WHERE (fields @? (SELECT visible FROM query)) IS TRUE
            AND (fields @? (SELECT condition FROM query)) IS TRUE
            AND (CAST(:within AS jsonb) IS NULL OR (SELECT needed IS NULL FROM query) OR jsonb_to_tsvector('simple', (
                    SELECT jsonb_agg(fields #> ARRAY(SELECT jsonb_array_elements_text(path)))
                    FROM jsonb_array_elements(CAST(:within AS jsonb)) AS path
                ), '["string"]') @@ (SELECT needed FROM query))
        ) AS found WHERE CAST(:least AS float8) IS NULL OR score >= CAST(:least AS float8)
    ), page AS (
        SELECT id, fields, score, row_number() OVER (ORDER BY
            CASE WHEN :up1 THEN fields #> CAST(:sort1 AS text[]) END,
            CASE WHEN NOT :up1 THEN fields #> CAST(:sort1 AS text[]) END DESC NULLS LAST,
            CASE WHEN :up2 THEN fields #> CAST(:sort2 AS text[]) END,
            CASE WHEN NOT :up2 THEN fields #> CAST(:sort2 AS text[]) END DESC NULLS LAST,
            CASE WHEN :up3 THEN fields #> CAST(:sort3 AS text[]) END,
            CASE WHEN NOT :up3 THEN fields #> CAST(:sort3 AS text[]) END DESC NULLS LAST,
            score DESC, id) AS place
        FROM matched ORDER BY place OFFSET CAST(:skip AS bigint) LIMIT CAST(:take AS bigint)
    ), "values" AS MATERIALIZED (
        SELECT facet, CAST(path AS jsonpath) AS path, alphabetic, query
        FROM jsonb_to_recordset(CAST(:values AS jsonb)) AS asked (facet int, path text, alphabetic boolean, query text)
    ), ranges AS MATERIALIZED (
        SELECT facet, range, CAST(condition AS jsonpath) AS condition
        FROM jsonb_to_recordset(CAST(:ranges AS jsonb)) AS asked (facet int, range int, condition text)
    ), stats AS MATERIALIZED (
        SELECT facet, CAST(path AS jsonpath) AS path FROM jsonb_to_recordset(CAST(:stats AS jsonb)) AS asked (facet int, path text)
    ), counted AS (
        SELECT facet, value, count(*) AS number, row_number() OVER (
            PARTITION BY facet ORDER BY CASE WHEN NOT asked.alphabetic THEN count(*) END DESC, value) AS place
        FROM "values" AS asked, matched, LATERAL jsonb_path_query(matched.fields, asked.path) AS value
        WHERE value <> 'null' AND (asked.query IS NULL OR starts_with(lower(value #>> '{}'), asked.query))
        GROUP BY facet, asked.alphabetic, value
    )
    SELECT CASE WHEN EXISTS (SELECT FROM search_index_version WHERE id = :version AND deleted_at IS NULL) THEN json_build_object(
        'found', EXISTS (SELECT FROM matched),
        'hits', (SELECT coalesce(json_agg(json_build_object('id', id, 'score', score, 'fields', fields) ORDER BY place), '[]') FROM page),
        'count', CASE WHEN :counted THEN (SELECT count(*) FROM matched) END,
        'values', (SELECT json_agg(json_build_array(facet, value, number) ORDER BY facet, place) FROM counted WHERE place <= :most),
        'ranges', (
            SELECT json_agg(json_build_array(facet, range, number)) FROM (
                SELECT facet, range, count(matched.id) AS number
                FROM ranges AS asked LEFT JOIN matched ON matched.fields @? asked.condition GROUP BY facet, range
            ) AS within
        ),
        'stats', (
            SELECT json_agg(json_build_array(facet, min, max, avg, sum, number)) FROM (
                SELECT facet, min(value), max(value), avg(value), sum(value), count(*) AS number
                FROM stats AS asked, matched,
                LATERAL (SELECT CAST(found AS numeric) AS value FROM jsonb_path_query(matched.fields, asked.path) AS found
                         WHERE jsonb_typeof(found) = 'number') AS each
                GROUP BY facet
            ) AS measured
        )
    ) END
""")
)
"""Planned once: what finds the candidates is said, not guessed. Words do by their index; without any, a condition that is `selective` does
by the index of fields; else all documents are looked at. Null for a version that was dropped."""
