"""Stock locations, and what belongs to them."""
