"""Carrying messages between processes: frames, client, server, router, admission."""
