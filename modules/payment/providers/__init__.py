"""Payment providers that ship with the module."""
