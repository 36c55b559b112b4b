"""The two places that a service owns."""

from __future__ import annotations

from enum import StrEnum


class Environment(StrEnum):
    """A place for one version; both have identical capacity."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> Environment:
        return Environment.GREEN if self is Environment.BLUE else Environment.BLUE
