"""What one proxy reports: its clusters, and the 5xx that it answered by itself."""

from __future__ import annotations

from collections import defaultdict, deque

from bluegreen.model.traffic_report import LoadReading
from bluegreen.switches.envoy.metrics.cluster_statistics import ClusterStatistics
from bluegreen.switches.envoy.metrics.counts import Counts, Figure, Growth, merge
from bluegreen.switches.envoy.metrics.sample import Sample
from bluegreen.switches.envoy.metrics.totals import RunningTotal
from bluegreen.switches.envoy.names import ClusterName, Twin

KEPT_UNSEEN = 60.0
"""Seconds without a mention after which a cluster's figures are dropped."""

LONGEST_GAP = 60.0
"""Seconds between two reports after which they tell nothing together: the Envoy may have restarted, and have
counted up to more than before."""

FLUSHES_MISSED = 3
SILENT_AFTER = 3.0
SILENT_AT_LAST = 15.0
"""Seconds of silence after which reports are missing: as many as FLUSHES_MISSED take, within these limits."""

PRODUCTION = (None, Twin.MANUAL)
"""The clusters that take the requests of the production listener."""


class ProxyStatistics:
    """Kept for as long as the proxy is known. A cluster that reports have not mentioned for a while (it was
    removed; for a moment also after a restart of the Envoy) is dropped, so that memory stays bounded."""

    def __init__(self, proxy: str, gateway: str) -> None:
        self.proxy, self.gateway = proxy, gateway
        self.reported_at: float | None = None
        self._clusters: dict[ClusterName, ClusterStatistics] = {}
        self._own: defaultdict[str, dict[ClusterName, ClusterStatistics]] = defaultdict(dict)
        self._gaps: deque[float] = deque(maxlen=FLUSHES_MISSED)
        self._answers = RunningTotal()
        self._downstream_5xx = RunningTotal()
        self._direct_responses = RunningTotal()
        self._attributed_to_dropped = 0
        self._unattributed_5xx = 0

    @property
    def unattributed_5xx(self) -> int:
        """5xx of the production listener beyond those that a revision's cluster counts, and those that are
        meant: a service without an active version answers 503 by itself."""
        # Envoy does not read all its counters at one instant.
        return max(0, self._unattributed_5xx)

    def is_silent(self, now: float) -> bool:
        """Whether reports are missing, as often as they came of late."""
        if self.reported_at is None:
            return True
        # Until there are two, it may have any interval.
        expected = FLUSHES_MISSED * max(self._gaps, default=SILENT_AT_LAST)
        return now - self.reported_at > min(max(expected, SILENT_AFTER), SILENT_AT_LAST)

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

    def report(self, at: float, samples: list[Sample]) -> Growth | None:
        """Take in one whole report. `at` is seconds since the epoch. By how much the counts of the production
        requests have grown since the report before; None where that was none, or too long ago to tell."""
        began, unattributed = self.reported_at, self._unattributed_5xx
        self.reported_at = at
        listener: Counts = {}
        by_cluster: defaultdict[ClusterName, list[Sample]] = defaultdict(list)
        for sample in samples:
            if sample.cluster is not None:
                by_cluster[sample.cluster].append(sample)
            elif sample.listener is not None and not sample.listener.preview:
                self._read_listener(sample, listener)
        revisions: dict[tuple[str, int], Counts] = {}
        for name, reported in by_cluster.items():
            counts = (self._clusters.get(name) or self._add(name)).report(at, reported)
            if counts and name.twin in PRODUCTION:
                key = (name.service, name.revision)
                if key in revisions:
                    merge(revisions[key], counts)
                else:
                    revisions[key] = counts
        for name in self._clusters.keys() - by_cluster.keys():
            if self._clusters[name].reported_at < at - KEPT_UNSEEN:
                self._attributed_to_dropped += _production_5xx(name, self._drop(name))
        self._unattributed_5xx = self._count_unattributed_5xx()
        if began is None:
            return None
        self._gaps.append(at - began)
        listener[Figure.GATEWAY_FAILURES] = self._unattributed_5xx - unattributed
        return Growth(began, at, revisions, listener) if 0 <= at - began <= LONGEST_GAP else None

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
        return self._downstream_5xx.value - present - meant

    def _read_listener(self, sample: Sample, grown: Counts) -> None:
        value = int(sample.value)
        match sample.name:
            case "http.downstream_rq_completed":
                grown[Figure.ANSWERS] = self._answers.report(value)
            case "http.downstream_rq_xx" if sample.class_ == 5:
                self._downstream_5xx.report(value)
            case "http.rq_direct_response":
                self._direct_responses.report(value)


def _production_5xx(name: ClusterName, cluster: ClusterStatistics) -> int:
    return cluster.answers_5xx if name.twin in PRODUCTION else 0
