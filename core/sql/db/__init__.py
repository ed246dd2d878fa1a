"""Connections, transactions, and statements that are compiled once."""
