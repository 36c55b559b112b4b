"""What one proxy reports of one cluster."""

from __future__ import annotations

from collections import defaultdict, deque

from bluegreen.model.traffic_report import LoadReading
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
        self._readings: deque[LoadReading] = deque(maxlen=KEPT_READINGS)

    def read_load(self, at: float, active: int, pending: int) -> None:
        self._readings.append(LoadReading(at, active, pending))

    @property
    def readings(self) -> tuple[LoadReading, ...]:
        """The newest few, oldest first."""
        return tuple(self._readings)

    @property
    def active(self) -> int:
        return self._readings[-1].active if self._readings else 0
