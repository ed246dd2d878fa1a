"""Providers that ship with the auth module."""
