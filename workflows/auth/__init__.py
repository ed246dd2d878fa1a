"""Flows for identities."""
