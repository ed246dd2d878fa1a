"""Carrying a message from here to there: frames, client, server, router, admission."""
