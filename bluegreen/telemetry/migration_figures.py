"""Migrations as Prometheus metrics: what they came to, how far one is, what is still to come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.migration import Phase
from bluegreen.model.migration_run import MigrationRun
from bluegreen.model.verdict import Verdict
from bluegreen.rollout.migrations import pending_after
from bluegreen.rollout.operations import ServiceView

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)


class MigrationFigures:
    """Counts from now on: what was run before this process began is in the history."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counted: dict[str, int] = {}
        self._runs = Counter(
            "bluegreen_migration_runs",
            "What phases of migrations came to; inconclusive: somebody gave them up.",
            ["service", "phase", "verdict"],
            registry=registry,
        )
        self._seconds = Histogram(
            "bluegreen_migration_seconds",
            "From the beginning of a phase of migrations to its end.",
            ["service", "phase"],
            buckets=_SECONDS,
            registry=registry,
        )

    def begin(self, aggregate: ServiceAggregate) -> None:
        """What stands already is not counted."""
        self._counted[aggregate.name] = max((run.id for run in _over(aggregate)), default=0)
        self.note(aggregate)

    def note(self, aggregate: ServiceAggregate) -> None:
        """Count the runs that have ended since the last time; there is one at a time."""
        name = aggregate.name
        if aggregate.service.database is not None:
            for phase, verdict in product(Phase, Verdict):
                # A series that begins with its first event hides that one from increase().
                self._runs.labels(name, phase, verdict)
                self._seconds.labels(name, phase)
        for run in _over(aggregate):
            if run.id > self._counted.get(name, 0):
                self._counted[name] = run.id
                self._count(run)

    def _count(self, run: MigrationRun) -> None:
        self._runs.labels(run.service, run.phase, run.verdict).inc()
        if run.begun_at is not None and run.finished_at is not None:
            self._seconds.labels(run.service, run.phase).observe(max(0.0, run.finished_at - run.begun_at))

    def collect(self, views: Sequence[ServiceView]) -> Iterable[Metric]:
        """What is so at this moment."""
        opened = GaugeMetricFamily(
            "bluegreen_migration_open",
            "1 while a phase of migrations is wanted or under way.",
            labels=["service", "phase"],
        )
        pending = GaugeMetricFamily(
            "bluegreen_migrations_pending",
            "Files of the versions that have an environment that are still to come after their expand.",
            labels=["service", "phase"],
        )
        for view in views:
            aggregate = view.aggregate
            if aggregate.service.database is None:
                continue
            run, left = aggregate.open_run, _pending(aggregate)
            for phase in Phase:
                opened.add_metric([aggregate.name, phase], int(run is not None and run.phase is phase))
            for phase, count in left.items():
                pending.add_metric([aggregate.name, phase], count)
        yield from (opened, pending, *_backfills(views))


def _backfills(views: Sequence[ServiceView]) -> Iterable[Metric]:
    """Of the backfills that are under way."""
    rows = GaugeMetricFamily(
        "bluegreen_backfill_rows", "Rows that the backfill has done.", labels=["service"]
    )
    total = GaugeMetricFamily(
        "bluegreen_backfill_rows_total", "Rows that it has to do, as estimated.", labels=["service"]
    )
    rate = GaugeMetricFamily(
        "bluegreen_backfill_rows_per_second", "Rows that it does in a second.", labels=["service"]
    )
    for view in views:
        run, progress = view.aggregate.open_run, view.migration
        if progress is None or run is None or run.phase is not Phase.BACKFILL:
            continue
        rows.add_metric([view.aggregate.name], progress.rows_done)
        rate.add_metric([view.aggregate.name], progress.rows_per_second)
        if progress.rows_total >= 0:
            total.add_metric([view.aggregate.name], progress.rows_total)
    return rows, total, rate


def _over(aggregate: ServiceAggregate) -> Iterator[MigrationRun]:
    return (run for run in aggregate.migration_runs if not run.is_open)


def _pending(aggregate: ServiceAggregate) -> dict[Phase, int]:
    """Each file once, though two versions may bring it."""
    versions = {each.version for each in aggregate.deployments if each.status.is_open}
    left = [pending_after(aggregate, version) for version in versions]
    return {
        Phase.BACKFILL: len({name for each in left for name in each.backfills}),
        Phase.CONTRACT: len({name for each in left for name in each.contracts}),
    }
