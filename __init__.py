"""Velella: a commerce server whose modules are pools of actors."""

__version__ = "0.1.0"
