"""Captures, refunds and what else merchants do with payments."""
