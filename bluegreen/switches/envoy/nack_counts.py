"""How often each proxy refused what it was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


class NackCounts:
    """Refusals by proxy and type since this process began. One that is seen twice counts once."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._standing: dict[str, Mapping[str, int]] = {}

    def note(self, proxy: str, standing: Mapping[str, int]) -> None:
        """Take in the refusals of a proxy that stand (see `Fleet.refusals`), after it has said something."""
        before = self._standing.pop(proxy, {})
        for type_url, generation in standing.items():
            if before.get(type_url) != generation:
                self._counts[proxy, type_url] += 1
        if standing:
            self._standing[proxy] = standing

    def of(self, proxy: str, type_url: str) -> int:
        return self._counts[proxy, type_url]
