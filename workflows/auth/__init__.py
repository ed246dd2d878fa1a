"""Flows around who somebody is."""
