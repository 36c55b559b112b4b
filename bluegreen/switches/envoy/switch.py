"""The Envoy switch: traffic that is wanted in, resources out to the proxies, and their facts back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence

from bluegreen.model.fleet import ProxyFacts
from bluegreen.model.gateway import Gateway
from bluegreen.model.known_proxy import KnownProxy
from bluegreen.model.revision_figures import ServiceFigures
from bluegreen.model.traffic import ServiceTraffic
from bluegreen.model.traffic_report import TrafficReport
from bluegreen.model.traffic_switch import Capabilities
from bluegreen.switches.envoy.known_fleet import KnownFleet
from bluegreen.switches.envoy.metrics.fleet_figures import Question
from bluegreen.switches.envoy.metrics.fleet_statistics import FleetStatistics
from bluegreen.switches.envoy.metrics.proxy_statistics import SILENT_AT_LAST
from bluegreen.switches.envoy.nack_counts import NackCounts
from bluegreen.switches.envoy.proxy_states import ProxyStates
from bluegreen.switches.envoy.publication import GatewayPublication, awaits_clusters
from bluegreen.switches.envoy.refused_proxies import RefusedProxies
from bluegreen.switches.envoy.reports import ServiceSources, proxy_facts, traffic_report
from xds_server import NodeIdentity, References, XdsServer, XdsSettings

MAXIMUM_NAME = 256
"""Characters of a proxy's id."""

log = logging.getLogger(__name__)


class EnvoySwitch:
    """Implements `TrafficSwitch` over an xDS server and what the proxies stream to the metrics receiver.

    `now` gives seconds since the epoch.
    """

    capabilities = Capabilities(acknowledges_per_proxy=True, exact_drain=True, steps=True)

    def __init__(self, statistics: FleetStatistics, now: Callable[[], float]) -> None:
        # What is published here is complete: a reference that leads nowhere is a mistake of ours.
        self.server = XdsServer(self._group_of, settings=XdsSettings(references=References.STRICT))
        self._statistics = statistics
        self._now = now
        self._known = KnownFleet()
        self._gateways: dict[str, GatewayPublication] = {}
        self._traffic: dict[str, ServiceTraffic] = {}
        self._sources: dict[str, ServiceSources] = {}
        self._listeners: list[Callable[[Collection[str]], None]] = []
        self._connected: set[str] = set()
        self._states = ProxyStates(self.server.fleet)
        self._nacks = NackCounts()
        self._refused = RefusedProxies()
        self.server.fleet.on_change(self._proxy_changed)
        statistics.on_report(self._proxy_reported)

    # --- what is wanted ---

    def restore(self, gateways: Mapping[str, Gateway], traffic: Mapping[str, ServiceTraffic]) -> None:
        self._traffic = dict(traffic)
        for name in self._gateways.keys() - gateways.keys():
            del self._gateways[name]
        for name, gateway in gateways.items():
            publication = self._gateways.get(name) or GatewayPublication(gateway, self.server)
            carried = [each for each in traffic.values() if name in each.service.gateways]
            publication.replace(gateway, carried)
            self._gateways[name] = publication
        self._sources = {name: self._sources_of(each) for name, each in traffic.items()}
        self._notify(traffic.keys())

    def prepare(self, traffic: ServiceTraffic) -> None:
        self._publish(traffic)

    def set_weights(self, traffic: ServiceTraffic) -> None:
        self._publish(traffic)

    def retire(self, traffic: ServiceTraffic) -> None:
        # The xDS server takes what is gone out of the routes first, and once that is acknowledged, away.
        self._publish(traffic)

    def know(self, proxies: Sequence[KnownProxy]) -> None:
        self._known.load(proxies)

    def forget(self, proxy: str) -> None:
        known = self._known.get(proxy)
        self._known.forget(proxy)
        self._statistics.forget(proxy)
        state = self.server.fleet.get(proxy)
        if state is not None:
            self._known.saw(proxy, state.group, state.client_version, self._now())
        if known is not None:
            self._notify_gateway(known.gateway)

    # --- what is so ---

    def observe(self, service: str) -> TrafficReport:
        sources = self._sources[service]
        return traffic_report(sources, self._known.of(sources.traffic.service.gateways), self._now())

    def figures(self, service: str, since: float) -> ServiceFigures:
        traffic, now = self._sources[service].traffic, self._now()
        known = self._known.of(traffic.service.gateways)
        unheard = tuple(each.id for each in known if not self._is_heard(each.id, now))
        asked = Question(
            service=service,
            revisions=[each.revision for each in traffic.backends],
            gateways=traffic.service.gateways,
            since=since,
            now=now,
            heard=len(known) - len(unheard),
            unheard=unheard,
        )
        return self._statistics.figures.of(asked)

    def fleet(self) -> Sequence[ProxyFacts]:
        return [self._facts(known) for known in self._known.all()]

    def refused(self) -> Sequence[ProxyFacts]:
        return self._refused.facts(self._now())

    def on_proxy_seen(self, notify: Callable[[KnownProxy], None]) -> None:
        self._known.on_seen(notify)

    def on_change(self, notify: Callable[[Collection[str]], None]) -> None:
        self._listeners.append(notify)

    def is_gateway(self, name: str) -> bool:
        return name in self._gateways

    # --- inside ---

    def _facts(self, known: KnownProxy) -> ProxyFacts:
        state, seen = self._states.refresh(known.id), self._statistics.get(known.id)
        has_namesake = self._statistics.namesakes.has(known.id, self._now())
        return proxy_facts(known, state, seen, self._nacks, has_namesake=has_namesake)

    def _is_heard(self, proxy: str, now: float) -> bool:
        """Whether nothing is missing of what a proxy has to report; one that has just come may have had no
        time yet."""
        if proxy not in self._connected or self._statistics.namesakes.has(proxy, now):
            return False
        statistics = self._statistics.get(proxy)
        if statistics is not None:
            return not statistics.is_silent(now)
        state = self._states.get(proxy)
        return state is not None and now - state.connected_since <= SILENT_AT_LAST

    def _group_of(self, node: NodeIdentity) -> str | None:
        """A proxy gets the state of the gateway that it names as its cluster; None refuses it."""
        reason = self._reason_to_refuse(node)
        if reason is None:
            self._refused.drop(node.id)
            return node.cluster
        self._refused.note(node.id, node.cluster, reason, self._now())
        return None

    def _reason_to_refuse(self, node: NodeIdentity) -> str | None:
        if not 0 < len(node.id) <= MAXIMUM_NAME or not node.id.isprintable() or " " in node.id:
            return f"a node.id has 1 to {MAXIMUM_NAME} printable characters without blanks"
        publication = self._gateways.get(node.cluster)
        if publication is None:
            known = ", ".join(sorted(self._gateways)) or "none yet"
            return f"its gateway (node.cluster) is not one of: {known}"
        if node.returning and self._known.get(node.id) is None and publication.is_bare:
            # It would lose the routes that it has, for a state that knows of none.
            return (
                "it has a state from another control plane, and this one has no active version on its"
                " gateway: is this the right database? To start anew with it, restart that Envoy"
            )
        return None

    def _publish(self, traffic: ServiceTraffic) -> None:
        name = traffic.service.name
        self._traffic[name] = traffic
        self._sources[name].traffic = traffic
        for gateway in traffic.service.gateways:
            self._gateways[gateway].put(traffic)

    def _sources_of(self, traffic: ServiceTraffic) -> ServiceSources:
        gateways = {name: self._gateways[name] for name in traffic.service.gateways}
        return ServiceSources(traffic, gateways, self._states, self._statistics)

    def _proxy_changed(self, proxy: str) -> None:
        # A push changes thousands of proxies: of each no more is taken in here than must be at once.
        self._states.drop(proxy)
        if (proxy in self.server.fleet) != (proxy in self._connected):
            self._came_or_went(proxy)
        if proxy in self._connected:
            self._nacks.note(proxy, self.server.fleet.refusals(proxy))
        known = self._known.get(proxy)
        if known is not None:
            self._notify_gateway(known.gateway)

    def _came_or_went(self, proxy: str) -> None:
        state = self._states.refresh(proxy)
        if state is not None:
            self._connected.add(proxy)
            self._known.saw(proxy, state.group, state.client_version, self._now())
            return
        self._connected.discard(proxy)
        known = self._known.get(proxy)
        if known is not None:
            self._known.saw(proxy, known.gateway, known.version, self._now())

    def _proxy_reported(self, proxy: str) -> None:
        known = self._known.get(proxy)
        if known is not None:
            self._vouch(proxy, known.gateway)
            self._notify_gateway(known.gateway)

    def _vouch(self, proxy: str, gateway: str) -> None:
        """Tell the xDS server of clusters that the proxy's statistics prove, so that one service's cluster
        that keeps warming, and with it the acknowledgement of all, does not hold up the routes of others."""
        publication, statistics = self._gateways.get(gateway), self._statistics.get(proxy)
        state = self._states.get(proxy)
        if publication is None or statistics is None or state is None or not awaits_clusters(state):
            return
        proven = publication.proven_by(statistics)
        if proven:
            self.server.fleet.confirm(proxy, proven)

    def _notify_gateway(self, gateway: str) -> None:
        publication = self._gateways.get(gateway)
        if publication is not None:
            self._notify(publication.generations.keys())

    def _notify(self, services: Collection[str]) -> None:
        for notify in self._listeners:
            notify(services)
