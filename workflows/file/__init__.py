"""Flows for files."""
