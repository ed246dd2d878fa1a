"""Routes: what storefronts are shown, and what Sanity calls."""
