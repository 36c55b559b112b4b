"""The statistics of all proxies."""

from __future__ import annotations

from collections.abc import Callable

from bluegreen.switches.envoy.metrics.fleet_figures import FleetFigures
from bluegreen.switches.envoy.metrics.namesakes import Namesakes
from bluegreen.switches.envoy.metrics.proxy_statistics import ProxyStatistics
from bluegreen.switches.envoy.metrics.sample import Sample


class FleetStatistics:
    """By proxy id; told to whoever listens as soon as a report is in. `figures` adds them up over time."""

    def __init__(self) -> None:
        self.figures = FleetFigures()
        self.namesakes = Namesakes()
        self._proxies: dict[str, ProxyStatistics] = {}
        self._listeners: list[Callable[[str], None]] = []

    def on_report(self, notify: Callable[[str], None]) -> None:
        """Call `notify(proxy)` after each report."""
        self._listeners.append(notify)

    def report(self, proxy: str, gateway: str, at: float, samples: list[Sample]) -> None:
        statistics = self._proxies.get(proxy)
        if statistics is None or statistics.gateway != gateway:
            statistics = self._proxies[proxy] = ProxyStatistics(proxy, gateway)
        growth = statistics.report(at, samples)
        # Counters of two Envoys in turn rise and fall without a request.
        if growth is not None and not self.namesakes.has(proxy, at):
            self.figures.add(gateway, growth)
        for notify in self._listeners:
            notify(proxy)

    def get(self, proxy: str) -> ProxyStatistics | None:
        return self._proxies.get(proxy)

    def forget(self, proxy: str) -> None:
        self._proxies.pop(proxy, None)
        self.namesakes.forget(proxy)
