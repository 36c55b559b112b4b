"""The last seconds of a stream of reports: rates and latencies, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

WINDOW = 10.0
"""Seconds that latencies look back, and after which a report is too old to speak for now."""

RATE_WINDOW = 4.0
"""Seconds that rates look back: few, so that a share of the traffic is seen soon after it was set."""

MAXIMUM_READINGS = 64
"""Reports kept at most, however often a proxy sends them."""


class RateWindow:
    """The growth of a total over the last RATE_WINDOW seconds, or between the last two reports."""

    __slots__ = ("_readings",)

    def __init__(self) -> None:
        self._readings: deque[tuple[float, int]] = deque(maxlen=MAXIMUM_READINGS)

    def report(self, at: float, total: int) -> None:
        self._readings.append((at, total))
        while len(self._readings) > 2 and self._readings[1][0] <= at - RATE_WINDOW:
            self._readings.popleft()

    def per_second(self, now: float) -> float:
        """The rate between the oldest and the newest report; 0 where they are too old to speak for now."""
        if len(self._readings) < 2 or self._readings[-1][0] < now - WINDOW:
            return 0.0
        (began, low), (ended, high) = self._readings[0], self._readings[-1]
        return (high - low) / (ended - began) if ended > began else 0.0


class LatencyWindow:
    """Histograms of the last WINDOW seconds. Buckets are {upper bound in ms: how many at most this slow},
    not cumulative, so that they add up over proxies and time whatever bounds each has."""

    __slots__ = ("_reports",)

    def __init__(self) -> None:
        self._reports: deque[tuple[float, Mapping[float, int]]] = deque(maxlen=MAXIMUM_READINGS)

    def report(self, at: float, buckets: Mapping[float, int]) -> None:
        self._reports.append((at, buckets))

    def recent(self, now: float) -> Iterable[Mapping[float, int]]:
        return [buckets for at, buckets in self._reports if at > now - WINDOW]


def merged(histograms: Iterable[Mapping[float, int]]) -> dict[float, int]:
    """The sum of histograms, by upper bound."""
    total: dict[float, int] = {}
    for histogram in histograms:
        for bound, count in histogram.items():
            total[bound] = total.get(bound, 0) + count
    return total
