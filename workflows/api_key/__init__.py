"""Keys by which storefronts and programs come in."""
