"""Placed orders."""
