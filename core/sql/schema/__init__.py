"""What tables and entities are, and what a query may ask of them."""
