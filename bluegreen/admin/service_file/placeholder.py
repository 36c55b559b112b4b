"""`{word}` in a text of the service file: what is put in its place once it is known."""

from __future__ import annotations

import re
from collections.abc import Collection

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def placeholders(text: str) -> list[str]:
    """The words alone in braces."""
    return _PLACEHOLDER.findall(text)


def refuse_unknown(text: str, known: Collection[str]) -> None:
    """Raises ValueError at a word that nothing is put in place of: it is a slip."""
    unknown = next((word for word in placeholders(text) if word not in known), None)
    if unknown is not None:
        shown = ", ".join(f"{{{word}}}" for word in known)
        raise ValueError(f"there is no {{{unknown}}} to fill in; known: {shown}.")
