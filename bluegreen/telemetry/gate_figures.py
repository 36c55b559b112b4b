"""Gates as Prometheus metrics: what they said, what runs, and how long a bad version did harm."""

from __future__ import annotations

from collections import Counter as Counted
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.check import CheckKind
from bluegreen.model.verdict import Verdict
from bluegreen.rollout.operations import ServiceView

_SECONDS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 30, 60, 120, 300)


class GateFigures:
    """Counts from now on: what was said before this process began is in the history."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counted: dict[str, set[int]] = {}
        self._timed: dict[str, int] = {}
        self._verdicts = Counter(
            "bluegreen_gate_verdicts",
            "What tests, hooks, analyses and approvals came to.",
            ["service", "kind", "verdict"],
            registry=registry,
        )
        self._harm = Histogram(
            "bluegreen_turn_back_seconds",
            "From the first bad answer of a version that was turned back for it, as it was reported, to the "
            "last proxy's acknowledgement of the way back.",
            ["service"],
            buckets=_SECONDS,
            registry=registry,
        )

    def begin(self, aggregate: ServiceAggregate) -> None:
        """What stands already is not counted."""
        self._counted[aggregate.name] = {check.id for check in aggregate.checks if not check.is_open}
        if aggregate.rollout is not None and not aggregate.rollout.is_open:
            self._timed[aggregate.name] = aggregate.rollout.id
        self.note(aggregate)

    def note(self, aggregate: ServiceAggregate) -> None:
        """Count what was said since the last time."""
        name = aggregate.name
        self._harm.labels(name)
        for kind, verdict in _expected(aggregate):
            # A series that begins with its first event hides that one from increase().
            self._verdicts.labels(name, kind, verdict)
        said = {check.id: check for check in aggregate.checks if not check.is_open}
        for number in said.keys() - self._counted.get(name, set()):
            self._verdicts.labels(name, said[number].kind, said[number].verdict).inc()
        self._counted[name] = set(said)
        self._note_way_back(aggregate)

    def _note_way_back(self, aggregate: ServiceAggregate) -> None:
        rollout = aggregate.rollout
        if rollout is None or rollout.is_open or self._timed.get(aggregate.name) == rollout.id:
            return
        self._timed[aggregate.name] = rollout.id
        seconds = rollout.seconds_from_first_bad
        if seconds is not None:
            self._harm.labels(aggregate.name).observe(seconds)

    def collect(self, views: Sequence[ServiceView]) -> Iterable[Metric]:
        """What is so at this moment."""
        under_way = GaugeMetricFamily(
            "bluegreen_checks_under_way",
            "Tests and hooks that run.",
            labels=["service", "kind"],
        )
        analysis = GaugeMetricFamily(
            "bluegreen_analysis_verdict",
            "1 for what the analysis says of the version that it watches, 0 for what it does not say.",
            labels=["service", "version", "revision", "verdict"],
        )
        for view in views:
            aggregate = view.aggregate
            count = Counted(check.kind for check in aggregate.checks if check.is_open)
            for kind in _asked_outside(aggregate):
                under_way.add_metric([aggregate.name, kind], count[kind])
            for labels, says in _analysis(view):
                analysis.add_metric(labels, says)
        yield from (under_way, analysis)


def _analysis(view: ServiceView) -> Iterator[tuple[list[str], int]]:
    seen = view.observation
    for each in view.aggregate.deployments:
        if seen is not None and each.revision == seen.stretch.candidate:
            for verdict in Verdict:
                labels = [each.service, each.version, str(each.revision), verdict.value]
                yield labels, int(verdict is seen.verdict)


def _expected(aggregate: ServiceAggregate) -> Iterator[tuple[CheckKind, Verdict]]:
    """What gates of the service may say."""
    yield CheckKind.APPROVAL, Verdict.PASS
    kinds = [*_asked_outside(aggregate)]
    if aggregate.service.gates.analysis is not None:
        kinds.append(CheckKind.ANALYSIS)
    yield from product(kinds, Verdict)


def _asked_outside(aggregate: ServiceAggregate) -> Iterator[CheckKind]:
    if aggregate.service.gates.tests:
        yield from (CheckKind.TESTS, CheckKind.TESTS_OF_ACTIVE)
    if aggregate.service.gates.hooks:
        yield CheckKind.HOOKS
