"""A shop with this plugin, as velella.toml says: see `velella.testing`."""

pytest_plugins = ["velella.testing"]
