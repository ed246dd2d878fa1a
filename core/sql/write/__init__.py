"""Writes that record themselves, and taking them back."""
