"""Where a shop sends to, and by which options."""
