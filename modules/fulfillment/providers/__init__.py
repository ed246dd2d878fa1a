"""Fulfillment providers that ship with the module."""
