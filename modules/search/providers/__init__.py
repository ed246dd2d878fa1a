"""Search providers that ship with the module."""
