"""What happened to each revision's requests, all proxies together, over the last minutes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from bluegreen.model.revision_figures import RevisionFigures, ServiceFigures
from bluegreen.switches.envoy.metrics.counts import Counts, Figure, Growth, answers_5xx_alone
from bluegreen.switches.envoy.metrics.timeline import KEPT, Slot, Timeline
from bluegreen.switches.envoy.statistics import BUCKETS

MAXIMUM_BOUNDS = 64
"""Upper bounds of histograms that are told apart: Envoys of other bootstraps may have others than ours."""

_Key = TypeVar("_Key", str, int)

PRUNED_EVERY = 60.0
"""Seconds between two looks for revisions that nothing was heard of for so long that it is forgotten."""


@dataclass(frozen=True, slots=True)
class Question:
    """About a service's requests from `since` to `now`. `heard` and `unheard` are its gateways' proxies."""

    service: str
    revisions: Collection[int]
    gateways: Collection[str]
    since: float
    now: float
    heard: int
    unheard: tuple[str, ...] = ()


class FleetFigures:
    """Its memory grows with the number of revisions that have had requests of late, not with the proxies."""

    def __init__(self) -> None:
        self._services: defaultdict[str, dict[int, Timeline]] = defaultdict(dict)
        self._gateways: defaultdict[str, Timeline] = defaultdict(Timeline)
        self._bounds = {*map(float, BUCKETS), inf}
        self._pruned_at = 0.0

    def add(self, gateway: str, growth: Growth) -> None:
        began, at = growth.began, growth.at
        covered: Counts = {Figure.MILLISECONDS: round(1000 * (at - began))}
        self._gateways[gateway].add(began, at, growth.listener | covered)
        for (service, revision), counts in growth.revisions.items():
            timeline = self._services[service].get(revision)
            if timeline is None:
                timeline = self._services[service][revision] = Timeline()
            failed = Figure.ANSWERS_5XX in counts or Figure.GRPC_FAILURES in counts
            timeline.add(began, at, self._with_known_bounds(counts), failed=failed)
        if not 0 <= at - self._pruned_at < PRUNED_EVERY:
            self._prune(at)

    def of(self, asked: Question) -> ServiceFigures:
        gateways = [self._gateways[each] for each in asked.gateways if each in self._gateways]
        # Each report is among those of its gateway: what these can tell apart the revisions can as well.
        edge = max((each.edge(asked.since, asked.now) for each in gateways), default=asked.since)
        listeners = Slot()
        for gateway in gateways:
            listeners.include(gateway.since(edge))
        seconds = listeners.of(Figure.MILLISECONDS) / 1000 / max(1, asked.heard)
        seconds = min(seconds, max(0.0, asked.now - asked.since))
        timelines = self._services.get(asked.service, {})
        answered = {revision: timeline.since(edge) for revision, timeline in timelines.items()}
        return ServiceFigures(
            revisions={
                revision: _figures(answered.get(revision, Slot()), seconds)
                for revision in sorted({*asked.revisions, *answered})
            },
            unheard=asked.unheard,
            gateway_answers=listeners.of(Figure.ANSWERS),
            gateway_failures=max(0, listeners.of(Figure.GATEWAY_FAILURES)),
        )

    def _with_known_bounds(self, counts: Counts) -> Counts:
        """A bound too many becomes the next higher one: slower than it was rather than faster."""
        unknown = [key for key in counts.keys() - self._bounds if isinstance(key, float)]
        if not unknown:
            return counts
        known = {key: count for key, count in counts.items() if key not in unknown}
        for bound in sorted(unknown):
            if bound >= 0 and len(self._bounds) < MAXIMUM_BOUNDS:
                self._bounds.add(bound)
            # What is no number is no latency that could be compared.
            key = min((each for each in self._bounds if each >= bound), default=inf)
            known[key] = known.get(key, 0) + counts[bound]
        return known

    def _prune(self, now: float) -> None:
        self._pruned_at = now
        self._gateways = defaultdict(Timeline, _heard_of(self._gateways, now))
        heard_of = {service: _heard_of(each, now) for service, each in self._services.items()}
        self._services = defaultdict(dict, {service: each for service, each in heard_of.items() if each})


def _heard_of(timelines: dict[_Key, Timeline], now: float) -> dict[_Key, Timeline]:
    kept = {key: timeline for key, timeline in timelines.items() if abs(now - timeline.newest) < KEPT}
    for timeline in kept.values():
        timeline.age(now)
    return kept


def _figures(slot: Slot, seconds: float) -> RevisionFigures:
    answers, with_status = slot.of(Figure.ANSWERS), slot.of(Figure.GRPC_ANSWERS)
    alone = answers_5xx_alone(answers, slot.of(Figure.ANSWERS_5XX), with_status)
    return RevisionFigures(
        seconds=seconds,
        # A stream may end with its status long after its headers were counted.
        answers=max(answers, with_status + alone),
        failures=slot.of(Figure.GRPC_FAILURES) + alone,
        resets=slot.of(Figure.RESETS),
        connect_failures=slot.of(Figure.CONNECT_FAILURES),
        latencies={key: count for key, count in slot.counts.items() if isinstance(key, float)},
        first_failure_at=slot.first_failure_at,
    )
