"""Latencies as proxies report them: histograms of {upper bound in milliseconds: answers in that bucket}, not
cumulative, so that they add up over proxies and time whatever bounds each has."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate

BEYOND = float("inf")
"""The upper bound of the open bucket, of all that is slower than the highest bound."""


def quantile(histogram: Mapping[float, int], share: float) -> float | None:
    """The latency that `share` (0 to 1) of the requests stayed below, interpolated within its bucket, in ms.

    None where there were no requests. The bucket above the highest bound is taken at that bound: see
    `is_beyond`.
    """
    bounds = sorted(histogram)
    counts = [histogram[bound] for bound in bounds]
    cumulative = list(accumulate(counts))
    if not cumulative or cumulative[-1] == 0:
        return None
    wanted = share * cumulative[-1]
    index = bisect_left(cumulative, wanted)
    lower = bounds[index - 1] if index else 0.0
    before = cumulative[index - 1] if index else 0
    upper = bounds[index]
    if upper == BEYOND or counts[index] == 0:
        return lower
    return lower + (upper - lower) * (wanted - before) / counts[index]


def is_beyond(histogram: Mapping[float, int], share: float) -> bool:
    """Whether the quantile lies in the open bucket: then it is more than `quantile` says, by how much is
    unknown."""
    total = sum(histogram.values())
    return total > 0 and share * total > total - histogram.get(BEYOND, 0)
