"""How often each proxy refused what it was sent."""

from __future__ import annotations

from collections import Counter

from xds_server import ProxyState


class NackCounts:
    """Refusals by proxy and type since this process began. One that is seen twice counts once."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._last: dict[tuple[str, str], int] = {}

    def note(self, state: ProxyState) -> None:
        """Look at a proxy after it has said something."""
        for type_url, each in state.types.items():
            if each.nack is None:
                self._last.pop((state.node_id, type_url), None)
            elif self._last.get((state.node_id, type_url)) != each.nack.generation:
                self._last[state.node_id, type_url] = each.nack.generation
                self._counts[state.node_id, type_url] += 1

    def of(self, proxy: str, type_url: str) -> int:
        return self._counts[proxy, type_url]
