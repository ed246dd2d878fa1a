"""One query over the whole shop, across modules."""
