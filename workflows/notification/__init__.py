"""Letters that the shop sends by itself."""
