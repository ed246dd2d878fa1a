"""Analytics providers that ship with the module."""
