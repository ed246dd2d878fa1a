"""What carts, draft orders, order edits, claims and exchanges have in common: pure, without a database, above `core` and below modules."""
