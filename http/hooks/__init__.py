"""Routes that other services call."""
