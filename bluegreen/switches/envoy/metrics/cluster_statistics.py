"""What one proxy reports of one cluster."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from bluegreen.model.traffic_report import LoadReading
from bluegreen.switches.envoy.metrics.counts import COUNTERS, Counts, Figure, answers_5xx_alone
from bluegreen.switches.envoy.metrics.sample import Sample
from bluegreen.switches.envoy.metrics.totals import RunningTotal
from bluegreen.switches.envoy.metrics.window import LatencyWindow, RateWindow

KEPT_READINGS = 8


class ClusterStatistics:
    """Gauges as last reported, counters over all time, rates and latencies of the last seconds."""

    def __init__(self) -> None:
        self.reported_at = 0.0
        self.healthy: int | None = None
        self.members: int | None = None
        self.warming: bool | None = None
        self.requests = RunningTotal()
        self.by_class: defaultdict[int, RunningTotal] = defaultdict(RunningTotal)
        self.rate = RateWindow()
        self.latency = LatencyWindow()
        self._counters: defaultdict[str, RunningTotal] = defaultdict(RunningTotal)
        self._readings: deque[LoadReading] = deque(maxlen=KEPT_READINGS)

    def report(self, at: float, samples: Iterable[Sample]) -> Counts:
        """Take in what a report says of the cluster: by how much its counts have grown."""
        # A gauge that was never touched is not reported: no request yet.
        active = pending = 0
        grown: Counts = {}
        for sample in samples:
            value = int(sample.value)
            match sample.name:
                case "cluster.upstream_rq_active":
                    active = value
                case "cluster.upstream_rq_pending_active":
                    pending = value
                case "cluster.membership_healthy":
                    self.healthy = value
                case "cluster.membership_total":
                    self.members = value
                case "cluster.warming_state":
                    self.warming = value != 0
                case "cluster.upstream_rq_total":
                    self.requests.report(value)
                    self.rate.report(at, self.requests.value)
                case "cluster.upstream_rq_xx" if sample.class_ is not None:
                    more = self.by_class[sample.class_].report(value)
                    _add(grown, Figure.ANSWERS, more)
                    if sample.class_ == 5:
                        _add(grown, Figure.ANSWERS_5XX, more)
                case "cluster.upstream_rq_time" if sample.histogram is not None:
                    self.latency.report(at, sample.histogram)
                    for bound, count in sample.histogram.items():
                        grown[bound] = count
                case name if name in COUNTERS:
                    _add(grown, COUNTERS[name], self._counters[name].report(value))
        self.reported_at = at
        self._readings.append(LoadReading(at, active, pending))
        return grown

    @property
    def readings(self) -> tuple[LoadReading, ...]:
        """The newest few, oldest first."""
        return tuple(self._readings)

    @property
    def active(self) -> int:
        return self._readings[-1].active if self._readings else 0

    @property
    def answers_5xx(self) -> int:
        """Over all time, those that the client saw as such: not as a status of gRPC."""
        if 5 not in self.by_class:
            return 0
        answers = sum(total.value for total in self.by_class.values())
        with_status = self._counters["cluster.grpc.total"].value if self._counters else 0
        return answers_5xx_alone(answers, self.by_class[5].value, with_status)


def _add(grown: Counts, figure: Figure, more: int) -> None:
    if more:
        grown[figure] = grown.get(figure, 0) + more
