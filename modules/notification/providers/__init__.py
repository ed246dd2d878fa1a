"""Notification providers that ship with the module."""
