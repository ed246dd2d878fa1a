"""Workflows: keeping search indexes up to date, and building them."""
