"""Files that flows make or take."""
