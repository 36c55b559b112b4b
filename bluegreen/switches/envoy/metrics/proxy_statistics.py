"""What one proxy reports: its clusters, and the 5xx that it answered by itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from bluegreen.model.traffic_report import LoadReading
from bluegreen.switches.envoy.metrics.cluster_statistics import ClusterStatistics
from bluegreen.switches.envoy.metrics.totals import RunningTotal
from bluegreen.switches.envoy.names import ClusterName, ListenerName, Twin

KEPT_UNSEEN = 60.0
"""Seconds without a mention after which a cluster's figures are dropped."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure of a report: its name without the variable parts, which are in `cluster`, `listener` and
    `class_` where it has them. A histogram is one interval: {upper bound in ms: requests in the bucket}."""

    name: str
    value: float = 0.0
    cluster: ClusterName | None = None
    listener: ListenerName | None = None
    class_: int | None = None
    histogram: dict[float, int] | None = None


class ProxyStatistics:
    """Kept for as long as the proxy is known. A cluster that reports have not mentioned for a while (it was
    removed; for a moment also after a restart of the Envoy) is dropped, so that memory stays bounded."""

    def __init__(self, proxy: str, gateway: str) -> None:
        self.proxy, self.gateway = proxy, gateway
        self.reported_at: float | None = None
        self.unattributed_5xx = 0
        """5xx of the production listener beyond those that a revision's cluster counts, and those that are
        meant: a service without an active version answers 503 by itself."""
        self._clusters: dict[ClusterName, ClusterStatistics] = {}
        self._own: defaultdict[str, dict[ClusterName, ClusterStatistics]] = defaultdict(dict)
        self._downstream_5xx = RunningTotal()
        self._direct_responses = RunningTotal()
        self._attributed_to_dropped = 0

    def cluster(self, name: ClusterName) -> ClusterStatistics | None:
        return self._clusters.get(name)

    def clusters_of(self, service: str) -> list[tuple[ClusterName, ClusterStatistics]]:
        """The clusters with a service's own figures: not its twins for the preview and the like."""
        return list(self._own[service].items()) if service in self._own else []

    def production_readings(self, service: str, revision: int) -> tuple[LoadReading, ...]:
        """What a revision has under way for the production listener, chosen users included: the newest few
        readings, oldest first."""
        own = self._clusters.get(ClusterName(service, revision))
        chosen = self._clusters.get(ClusterName(service, revision, Twin.MANUAL))
        if own is None or chosen is None:
            return own.readings if own is not None else ()
        idle = LoadReading(0.0, 0, 0)
        theirs = {each.at: each for each in chosen.readings}
        pairs = ((each, theirs.get(each.at, idle)) for each in own.readings)
        return tuple(
            LoadReading(one.at, one.active + other.active, one.pending + other.pending)
            for one, other in pairs
        )

    def report(self, at: float, samples: list[Sample]) -> None:
        """Take in one whole report. `at` is seconds since the epoch."""
        self.reported_at = at
        by_cluster: defaultdict[ClusterName, list[Sample]] = defaultdict(list)
        for sample in samples:
            if sample.cluster is not None:
                by_cluster[sample.cluster].append(sample)
            elif sample.listener is not None and not sample.listener.preview:
                self._read_gateway(sample)
        for name, reported in by_cluster.items():
            _read(self._clusters.get(name) or self._add(name), at, reported)
        for name in self._clusters.keys() - by_cluster.keys():
            if self._clusters[name].reported_at < at - KEPT_UNSEEN:
                self._attributed_to_dropped += _production_5xx(name, self._drop(name))
        self.unattributed_5xx = self._count_unattributed_5xx()

    def _add(self, name: ClusterName) -> ClusterStatistics:
        added = self._clusters[name] = ClusterStatistics()
        if name.twin is None:
            self._own[name.service][name] = added
        return added

    def _drop(self, name: ClusterName) -> ClusterStatistics:
        if name.twin is None:
            del self._own[name.service][name]
            if not self._own[name.service]:
                del self._own[name.service]
        return self._clusters.pop(name)

    def _count_unattributed_5xx(self) -> int:
        present = sum(_production_5xx(name, cluster) for name, cluster in self._clusters.items())
        meant = self._direct_responses.value + self._attributed_to_dropped
        return max(0, self._downstream_5xx.value - present - meant)

    def _read_gateway(self, sample: Sample) -> None:
        if sample.name == "http.downstream_rq_xx" and sample.class_ == 5:
            self._downstream_5xx.report(int(sample.value))
        elif sample.name == "http.rq_direct_response":
            self._direct_responses.report(int(sample.value))


def _production_5xx(name: ClusterName, cluster: ClusterStatistics) -> int:
    reached_by_listener = name.twin in (None, Twin.MANUAL)
    return cluster.by_class[5].value if reached_by_listener and 5 in cluster.by_class else 0


def _read(cluster: ClusterStatistics, at: float, samples: list[Sample]) -> None:
    # A gauge that was never touched is not reported: no request yet.
    active = pending = 0
    for sample in samples:
        value = int(sample.value)
        match sample.name:
            case "cluster.upstream_rq_active":
                active = value
            case "cluster.upstream_rq_pending_active":
                pending = value
            case "cluster.membership_healthy":
                cluster.healthy = value
            case "cluster.membership_total":
                cluster.members = value
            case "cluster.warming_state":
                cluster.warming = value != 0
            case "cluster.upstream_rq_total":
                cluster.requests.report(value)
                cluster.rate.report(at, cluster.requests.value)
            case "cluster.upstream_rq_xx" if sample.class_ is not None:
                cluster.by_class[sample.class_].report(value)
            case "cluster.upstream_rq_time" if sample.histogram is not None:
                cluster.latency.report(at, sample.histogram)
    cluster.reported_at = at
    cluster.read_load(at, active, pending)
