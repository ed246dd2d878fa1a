"""One query over the whole shop, whichever modules its fields lie in."""
