"""A fleet that does what it is told at once, unless the test says otherwise: only the proxies are fake."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.fleet import ProxyFacts
from bluegreen.model.gateway import Gateway
from bluegreen.model.known_proxy import KnownProxy
from bluegreen.model.revision_figures import ServiceFigures
from bluegreen.model.traffic import Backend, ServiceTraffic
from bluegreen.model.traffic_report import BackendReport, LoadReading, ProxyReport, TrafficReport
from bluegreen.model.traffic_switch import Capabilities
from bluegreen.rollout.clock import Clock

REPORT_EVERY = 0.02


class SimulatedSwitch:
    """Two proxies. `told` lists every call in order; `silent` proxies acknowledge nothing new; what they
    report of requests is `reported_figures`; with `counts_sick` they find every instance healthy."""

    capabilities = Capabilities(acknowledges_per_proxy=True, exact_drain=True, steps=True)

    def __init__(self, clock: Clock, proxies: Sequence[str] = ("edge-1", "edge-2")) -> None:
        self.told: list[tuple[str, ServiceTraffic]] = []
        self.silent: set[str] = set()
        self.counts_sick = False
        self.known: Sequence[KnownProxy] = ()
        self.forgotten: list[str] = []
        self.reported_figures = ServiceFigures()
        self._clock = clock
        self._proxies = proxies
        self._traffic: dict[str, ServiceTraffic] = {}
        self._acknowledged: dict[tuple[str, str], tuple[ServiceTraffic, float]] = {}
        self._notify: list[Callable[[Collection[str]], None]] = []

    def restore(self, gateways: Mapping[str, Gateway], traffic: Mapping[str, ServiceTraffic]) -> None:
        for each in traffic.values():
            self._tell("restore", each)

    def prepare(self, traffic: ServiceTraffic) -> None:
        self._tell("prepare", traffic)

    def set_weights(self, traffic: ServiceTraffic) -> None:
        self._tell("set_weights", traffic)

    def retire(self, traffic: ServiceTraffic) -> None:
        self._tell("retire", traffic)

    def know(self, proxies: Sequence[KnownProxy]) -> None:
        self.known = proxies

    def forget(self, proxy: str) -> None:
        self.forgotten.append(proxy)

    def observe(self, service: str) -> TrafficReport:
        return TrafficReport(tuple(self._report(service, proxy) for proxy in self._proxies))

    def figures(self, service: str, since: float) -> ServiceFigures:
        return self.reported_figures

    def fleet(self) -> Sequence[ProxyFacts]:
        return ()

    def refused(self) -> Sequence[ProxyFacts]:
        return ()

    def on_proxy_seen(self, notify: Callable[[KnownProxy], None]) -> None:
        pass

    def on_change(self, notify: Callable[[Collection[str]], None]) -> None:
        self._notify.append(notify)

    # --- for the test ---

    def speak(self, proxy: str) -> None:
        """A silent proxy catches up."""
        self.silent.discard(proxy)
        for service, traffic in self._traffic.items():
            self._acknowledge(service, proxy, traffic)
            self.facts_changed(service)

    def deaf(self) -> None:
        """The control plane is gone: nobody listens any more."""
        self._notify.clear()

    async def report_now_and_then(self) -> None:
        """What real proxies do each second, only faster."""
        while True:
            await asyncio.sleep(REPORT_EVERY)
            for service in self._traffic:
                self.facts_changed(service)

    def facts_changed(self, service: str) -> None:
        for notify in self._notify:
            notify([service])

    def weights(self, service: str = "shop") -> dict[str, int]:
        return {
            each.environment.value: each.weight for each in self._traffic[service].backends if each.routed
        }

    def _sick(self, backend: Backend) -> set[Endpoint]:
        return set() if self.counts_sick else {*backend.unhealthy, *backend.draining}

    def _tell(self, verb: str, traffic: ServiceTraffic) -> None:
        name = traffic.service.name
        self.told.append((verb, traffic))
        self._traffic[name] = traffic
        for proxy in self._proxies:
            if proxy not in self.silent:
                self._acknowledge(name, proxy, traffic)

    def _acknowledge(self, service: str, proxy: str, traffic: ServiceTraffic) -> None:
        before = self._acknowledged.get((service, proxy))
        if before is None or before[0] != traffic:
            self._acknowledged[service, proxy] = (traffic, self._clock.now())

    def _report(self, service: str, proxy: str) -> ProxyReport:
        traffic, at = self._acknowledged.get((service, proxy), (None, None))
        wanted = self._traffic[service]
        has_it = at if traffic == wanted else None
        now = self._clock.now()
        idle = tuple(LoadReading(now + each, 0, 0) for each in (-0.002, -0.001, 0.0))
        return ProxyReport(
            proxy,
            "edge",
            connected=proxy not in self.silent,
            routes_acknowledged_at=has_it,
            clusters_acknowledged_at=has_it,
            endpoints_acknowledged_at=has_it,
            backends={
                backend.revision: BackendReport(
                    backend.revision,
                    acknowledged=has_it is not None,
                    healthy=len({*backend.endpoints} - self._sick(backend)),
                    warming=False,
                    readings=idle,
                )
                for backend in wanted.backends
            },
        )
