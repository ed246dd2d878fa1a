"""Tax providers that ship with the module."""
