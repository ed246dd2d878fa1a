"""Inventory items, levels and reservations."""
