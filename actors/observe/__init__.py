"""What a cluster tells of itself."""
