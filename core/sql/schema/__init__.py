"""What tables and entities are, and what can be asked of them."""
