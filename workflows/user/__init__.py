"""Flows for the shop's staff."""
