"""Flows around the people who run the shop."""
