"""Flows for API keys."""
