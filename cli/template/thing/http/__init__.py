"""Routes of things."""
