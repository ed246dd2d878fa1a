"""What a cluster reports about itself."""
