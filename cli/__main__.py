"""`python -m velella.cli`: the command line where the `velella` script is not on the path."""

from . import main

main()
