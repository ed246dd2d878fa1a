"""Things: what this plugin adds to a shop."""
