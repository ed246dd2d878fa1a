"""Writes that record themselves, and undoing them."""
