"""The figures of one process, as Prometheus metrics, read from the controller whenever they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bluegreen import __version__
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.rollout import Outcome, Rollout, RolloutKind
from bluegreen.rollout import proof
from bluegreen.rollout.operations import Operations, ServiceView
from bluegreen.rollout.wanted_traffic import is_routed
from bluegreen.telemetry.gate_figures import GateFigures
from bluegreen.telemetry.migration_figures import MigrationFigures
from bluegreen.telemetry.pool_figures import PoolFigures

_REVISION = ("service", "environment", "version", "revision")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Figures(Collector):
    """Collects from `Operations`; nothing is kept here but the times of rollouts that finished,
    and what `GateFigures`, `PoolFigures` and `MigrationFigures` count."""

    def __init__(self, operations: Operations, registry: CollectorRegistry) -> None:
        self._operations = operations
        self._seen: dict[str, int] = {}
        self._cutover = Histogram(
            "bluegreen_cutover_seconds",
            "From the decision of a rollout's last weights to the last proxy's acknowledgement.",
            ["service"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._rollback = Histogram(
            "bluegreen_rollback_seconds",
            "From the command to roll back or abort to the last proxy's acknowledgement.",
            ["service"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._gates = GateFigures(registry)
        self._pools = PoolFigures(registry)
        self._migrations = MigrationFigures(registry)
        registry.register(self)

    async def follow(self) -> None:
        """Note each rollout that finishes, until cancelled."""
        for service in self._operations.services():
            # A series that begins with its first observation hides that one from increase().
            self._cutover.labels(service)
            self._rollback.labels(service)
            aggregate = self._operations.aggregate(service)
            self._gates.begin(aggregate)
            self._pools.begin(aggregate)
            self._migrations.begin(aggregate)
            if aggregate.rollout is not None and not aggregate.rollout.is_open:
                self._seen[service] = aggregate.rollout.id
        async for service in self._operations.decisions():
            if service in self._operations.services():
                aggregate = self._operations.aggregate(service)
                self._gates.note(aggregate)
                self._pools.note(aggregate)
                self._migrations.note(aggregate)
                self._note(service, aggregate.rollout)

    def _note(self, service: str, rollout: Rollout | None) -> None:
        self._cutover.labels(service)
        self._rollback.labels(service)
        if rollout is None or rollout.is_open or rollout.seconds_to_last_ack is None:
            return
        if self._seen.get(service) == rollout.id:
            return
        self._seen[service] = rollout.id
        back = rollout.kind is RolloutKind.ROLLBACK or rollout.outcome is Outcome.ABORTED
        (self._rollback if back else self._cutover).labels(service).observe(rollout.seconds_to_last_ack)

    def collect(self) -> Iterable[Metric]:
        build = GaugeMetricFamily("bluegreen_build_info", "The version that runs.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        yield from self._fleet()
        views = [self._operations.view(service) for service in self._operations.services()]
        yield self._deployments(views)
        yield from self._weights(views)
        yield from self._traffic(views)
        yield from self._gates.collect(views)
        yield from self._pools.collect(views)
        yield from self._migrations.collect(views)

    def _fleet(self) -> Iterable[Metric]:
        facts = self._operations.fleet()
        proxies = GaugeMetricFamily(
            "bluegreen_proxies",
            "Known proxies, by whether they are connected.",
            labels=["gateway", "connected"],
        )
        for (gateway, connected), count in sorted(
            Counter((each.gateway, str(each.is_connected).lower()) for each in facts).items()
        ):
            proxies.add_metric([gateway, connected], count)
        yield proxies
        rejected = GaugeMetricFamily(
            "bluegreen_proxies_rejecting",
            "Proxies whose last answer of a type was a NACK.",
            labels=["gateway", "type"],
        )
        for (gateway, kind), count in sorted(
            Counter(
                (each.gateway, type_.type) for each in facts for type_ in each.types if type_.rejected
            ).items()
        ):
            rejected.add_metric([gateway, kind], count)
        yield rejected
        nacks = CounterMetricFamily(
            "bluegreen_nacks", "Responses that a proxy refused (NACK).", labels=["gateway", "type"]
        )
        totals: Counter[tuple[str, str]] = Counter()
        for each in facts:
            for type_ in each.types:
                totals[each.gateway, type_.type] += type_.nacks
        for (gateway, kind), count in sorted(totals.items()):
            nacks.add_metric([gateway, kind], count)
        yield nacks

    def _deployments(self, views: list[ServiceView]) -> Metric:
        family = GaugeMetricFamily(
            "bluegreen_deployments", "Deployments by status.", labels=["service", "status"]
        )
        for view in views:
            count = Counter(each.status for each in view.aggregate.deployments)
            for status in Status:
                family.add_metric([view.aggregate.name, status.value], count[status])
        return family

    def _weights(self, views: list[ServiceView]) -> Iterable[Metric]:
        decided = GaugeMetricFamily(
            "bluegreen_weight_percent", "The share of production traffic as it was set.", labels=_REVISION
        )
        proven = GaugeMetricFamily(
            "bluegreen_acknowledged_weight_percent",
            "The share of production traffic that every known proxy has acknowledged.",
            labels=_REVISION,
        )
        lagging = GaugeMetricFamily(
            "bluegreen_unacknowledged_proxies",
            "Known proxies that have not acknowledged the present weights.",
            labels=["service"],
        )
        for view in views:
            barrier = proof.routes_acknowledged(view.report)
            lagging.add_metric([view.aggregate.name], len(barrier.missing))
            for each in filter(is_routed, view.aggregate.deployments):
                weight = view.aggregate.traffic.weight(each.environment)
                decided.add_metric(_labels(each), weight)
                proven.add_metric(_labels(each), acknowledged_weight(view, each))
        yield from (decided, proven, lagging)

    def _traffic(self, views: list[ServiceView]) -> Iterable[Metric]:
        requests = CounterMetricFamily(
            "bluegreen_requests", "Requests per revision, as the proxies count them.", labels=_REVISION
        )
        responses = CounterMetricFamily(
            "bluegreen_responses", "Responses per revision and class.", labels=[*_REVISION, "class"]
        )
        active = GaugeMetricFamily("bluegreen_active_requests", "Requests under way.", labels=_REVISION)
        latency = GaugeMetricFamily(
            "bluegreen_latency_seconds", "Latency over the last ten seconds.", labels=[*_REVISION, "quantile"]
        )
        strays = CounterMetricFamily(
            "bluegreen_unattributed_5xx",
            "5xx of a service's gateways that no revision answered (a missing route or cluster).",
            labels=["service"],
        )
        for view in views:
            strays.add_metric([view.aggregate.name], view.report.unattributed_5xx)
            for each in view.aggregate.deployments:
                figures = view.report.figures.get(each.revision)
                if figures is None:
                    continue
                requests.add_metric(_labels(each), figures.requests)
                active.add_metric(_labels(each), figures.active)
                for class_, count in sorted(figures.responses_by_class.items()):
                    responses.add_metric([*_labels(each), f"{class_}xx"], count)
                for name, value in (("0.5", figures.p50), ("0.99", figures.p99)):
                    if value is not None:
                        latency.add_metric([*_labels(each), name], value / 1000)
        yield from (requests, responses, active, latency, strays)


def acknowledged_weight(view: ServiceView, deployment: Deployment) -> int:
    """The percent of the traffic that every known proxy is proved to give the deployment: what is set, or
    while acknowledgements are missing, what was set before."""
    aggregate = view.aggregate
    weight = aggregate.traffic.weight(deployment.environment)
    rollout = aggregate.open_rollout
    if rollout is None or rollout.acknowledged_at is not None or rollout.step < 0:
        return weight
    before = rollout.steps[rollout.step - 1].percent if rollout.step > 0 else 0
    if rollout.turning_back is not None and rollout.current is not None:
        before = rollout.current.percent
    if deployment.revision == rollout.candidate:
        return before
    return 100 - before if deployment.revision == rollout.previous else weight


def _labels(deployment: Deployment) -> list[str]:
    return [
        deployment.service,
        deployment.environment.value,
        deployment.version,
        str(deployment.revision),
    ]
