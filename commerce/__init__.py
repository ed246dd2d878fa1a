"""What carts, draft orders, order edits, claims and exchanges have in common: pure, without a database, beside `core` and below modules."""
