"""Envoys under one node id, which nobody could tell apart."""

from __future__ import annotations

TOLD_FOR = 15.0
"""Seconds after the last sign: longer than any two reports are apart."""


class Namesakes:
    """Of two Envoys with one node id both report, and their figures are mixed.

    An older stream that speaks after a newer one is not that of an Envoy which has come back, since that
    speaks on its newest alone; nor is it the old process of a hot restart, which reports no more once the new
    one does (Envoy 1.40, `--restart-epoch`).
    """

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._seen_at: dict[str, float] = {}

    def note(self, proxy: str, stream: int, at: float) -> None:
        """A report has come. `stream` grows with each that is opened; `at` is seconds since the epoch."""
        if stream < self._last.get(proxy, stream):
            self._seen_at[proxy] = at
        self._last[proxy] = stream

    def has(self, proxy: str, now: float) -> bool:
        """Whether more than one Envoy has this id, by what was seen of late."""
        seen_at = self._seen_at.get(proxy)
        return seen_at is not None and seen_at > now - TOLD_FOR

    def forget(self, proxy: str) -> None:
        self._last.pop(proxy, None)
        self._seen_at.pop(proxy, None)
