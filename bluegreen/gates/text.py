"""What others wrote, made fit to be stored and shown: printable, of bounded length."""

from __future__ import annotations

from bluegreen.model.verdict import MAXIMUM_OUTPUT
from bluegreen.subprocesses.printable import printable

MAXIMUM_SUMMARY = 1000
"""Characters of a summary; what does not fit is cut off."""


def quoted(text: str) -> str:
    """In quotes, on one line. Whole: a summary is cut once it holds no secret any more."""
    return f"'{' '.join(printable(text).split())}'"


def beginning(text: str) -> str:
    """As much of an answer as is kept."""
    return printable(text)[:MAXIMUM_OUTPUT]
