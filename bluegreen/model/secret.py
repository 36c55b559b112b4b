"""What is known to those who need it, and never shown."""

from __future__ import annotations

from dataclasses import dataclass, field

SHOWN = "(secret)"
"""What stands where a secret would."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that neither a message, nor a difference, nor a log line gives away by itself."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return SHOWN
