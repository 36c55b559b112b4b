"""Counts what the load sees, for the interval and for the whole run."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import accumulate

from bluegreen.app.demo.exchange import RequestFailed
from bluegreen.app.demo.load_plan import Shot
from bluegreen.app.demo.load_report import Connections, Damage, Latency, LoadReport, Tally

TICK = 0.000_1  # latencies are kept to 0.1 ms, so that a long run needs no more memory than a short one
EXAMPLES = 5


@dataclass(slots=True)
class _Count:
    """Everything counted since `since`."""

    since: float
    requests: Counter[str] = field(default_factory=Counter)
    failures: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    versions: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    latencies: Counter[int] = field(default_factory=Counter)
    opened: int = 0
    lost: int = 0
    examples: list[str] = field(default_factory=list)
    damage: defaultdict[str, Damage] = field(default_factory=lambda: defaultdict(Damage))

    def report(self, now: float, in_flight: int, final: bool) -> LoadReport:
        targets = {
            name: Tally(requests, dict(self.failures[name]), dict(self.versions[name]))
            for name, requests in sorted(self.requests.items())
        }
        return LoadReport(
            at=round(now, 3),
            span=round(now - self.since, 3),
            final=final,
            in_flight=in_flight,
            targets=targets,
            latency=latency_of(self.latencies),
            connections=Connections(self.opened, self.lost),
            examples=tuple(self.examples),
            damage=dict(self.damage),
        )


class LoadRecorder:
    """Times are seconds since the load began."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._interval = _Count(0.0)
        self._whole = _Count(0.0)

    def answered(self, shot: Shot, version: str, latency: float) -> None:
        """A right answer came `latency` seconds after the request should have begun."""
        for count in (self._interval, self._whole):
            count.requests[shot.target.name] += 1
            count.versions[shot.target.name][version] += 1
            count.latencies[round(max(0.0, latency - shot.seconds) / TICK)] += 1

    def failed(self, shot: Shot, failure: RequestFailed, now: float) -> None:
        """No right answer came."""
        request = shot.request
        for count in (self._interval, self._whole):
            count.requests[shot.target.name] += 1
            count.failures[shot.target.name][failure.kind] += 1
            if len(count.examples) < EXAMPLES:
                what = f"{request.method} {request.path} through {shot.target.name} by {shot.protocol}"
                count.examples.append(f"at {now:.3f} s, {what}: {failure.kind}: {failure}")

    def spoiled(self, shot: Shot, version: str, at: float) -> None:
        """A version failed the request on purpose, and says so; `at` is seconds since the epoch."""
        for count in (self._interval, self._whole):
            count.requests[shot.target.name] += 1
            count.damage[version] = count.damage[version].and_later(Damage(failed=1, first_at=at))

    def late(self, version: str, at: float) -> None:
        """A right answer that was counted came late, on purpose."""
        for count in (self._interval, self._whole):
            count.damage[version] = count.damage[version].and_later(Damage(late=1, first_at=at))

    def opened(self) -> None:
        """A connection was opened."""
        self._interval.opened += 1
        self._whole.opened += 1

    def lost(self) -> None:
        """A connection was closed by the other side."""
        self._interval.lost += 1
        self._whole.lost += 1

    def interval(self, now: float) -> LoadReport:
        """What happened since the last such report."""
        report = self._interval.report(now, self.in_flight, final=False)
        self._interval = _Count(now)
        return report

    def whole(self, now: float) -> LoadReport:
        """What happened since the beginning."""
        return self._whole.report(now, self.in_flight, final=True)


def latency_of(ticks: Counter[int]) -> Latency:
    """Quantiles of latencies counted by tick."""
    if not ticks:
        return Latency()
    values = sorted(ticks)
    ranks = list(accumulate(ticks[value] for value in values))
    p50, p90, p99 = (values[bisect_left(ranks, share * ranks[-1])] for share in (0.5, 0.9, 0.99))
    return Latency(*(round(value * TICK, 4) for value in (p50, p90, p99, values[-1])))
