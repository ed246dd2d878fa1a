"""Things: what this plugin adds to a shop."""

from velella.core.plugins import Options, Plugin

#: link
from .links import FANS

#: rule
from .rules import ByTheDozen, ThirdFree

plugin = Plugin(
    __name__,
    Options,
    links=[FANS],  #: link
    rules=[ByTheDozen(), ThirdFree()],  #: rule
)
