"""Customers, their accounts, addresses and groups."""
