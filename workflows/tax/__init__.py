"""Tax regions and rates."""
