"""Things: what this plugin adds to a shop."""

#: link
from velella.core.plugins import Options, Plugin

#: link
from .links import FANS

#: link
plugin = Plugin(__name__, Options, links=[FANS])
