"""`python -m bluegreen` is the command `bluegreen`."""

from bluegreen.app.cli import main

main()
