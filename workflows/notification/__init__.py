"""Emails that the shop sends automatically."""
