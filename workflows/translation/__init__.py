"""Translations, and what is translated."""
