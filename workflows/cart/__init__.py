"""From an empty cart to a placed order."""
