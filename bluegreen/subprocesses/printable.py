"""What others wrote, without what a terminal would obey."""

from __future__ import annotations

import re

_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # ECMA-48, 5.4: colours and the like
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and newline


def printable(text: str) -> str:
    """Without what a terminal would obey, and without what cannot be encoded."""
    clean = _CONTROL.sub("", _ESCAPE_SEQUENCE.sub("", text))
    return clean.encode(errors="replace").decode()
