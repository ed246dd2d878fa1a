"""File providers that ship with the module."""
