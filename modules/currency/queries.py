"""Statements of the currency module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import text

from ...core.sql.db.compiled import compiled

# Only rows that differ are written, so that a start usually changes nothing.
KEEP_CURRENCIES = compiled(
    text("""
    INSERT INTO currency AS known (code, symbol, symbol_native, name, decimal_digits, rounding)
    SELECT * FROM unnest(
        CAST(:codes AS text[]), CAST(:symbols AS text[]), CAST(:native AS text[]), CAST(:names AS text[]),
        CAST(:digits AS integer[]), CAST(:rounding AS numeric[])
    ) AS given (code, symbol, symbol_native, name, decimal_digits, rounding)
    ORDER BY code
    ON CONFLICT (code) DO UPDATE SET
        symbol = excluded.symbol, symbol_native = excluded.symbol_native, name = excluded.name,
        decimal_digits = excluded.decimal_digits, rounding = excluded.rounding, updated_at = clock_timestamp()
    WHERE (known.symbol, known.symbol_native, known.name, known.decimal_digits, known.rounding)
        IS DISTINCT FROM (excluded.symbol, excluded.symbol_native, excluded.name, excluded.decimal_digits, excluded.rounding)
""")
)
