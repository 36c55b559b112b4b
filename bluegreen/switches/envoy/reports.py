"""From what the proxies acknowledged and report to the facts that decisions go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bluegreen.model.fleet import ProxyFacts, ResourceTypeFacts
from bluegreen.model.known_proxy import KnownProxy
from bluegreen.model.latency import quantile
from bluegreen.model.traffic import Backend, ServiceTraffic
from bluegreen.model.traffic_report import BackendReport, ProxyReport, RequestFigures, TrafficReport
from bluegreen.switches.envoy.metrics.cluster_statistics import ClusterStatistics
from bluegreen.switches.envoy.metrics.fleet_statistics import FleetStatistics
from bluegreen.switches.envoy.metrics.proxy_statistics import ProxyStatistics
from bluegreen.switches.envoy.metrics.window import WINDOW, merged
from bluegreen.switches.envoy.nack_counts import NackCounts
from bluegreen.switches.envoy.names import ClusterName, cluster_name
from bluegreen.switches.envoy.proxy_states import ProxyStates
from bluegreen.switches.envoy.publication import GatewayPublication, Generations, is_proven
from xds_server import CLUSTER, ENDPOINT, LISTENER, ROUTE, ProxyState, TypeState

MAXIMUM_TEXT = 500
"""Characters of a rejection that are kept: it is written for a person by a program that may go on."""

TYPE_NAMES = {CLUSTER: "CDS", ENDPOINT: "EDS", LISTENER: "LDS", ROUTE: "RDS"}


@dataclass(slots=True)
class ServiceSources:
    """Where the facts about one service come from, and when each proxy was first seen to have its present
    state: a later acknowledgement of something else must not make it look newer."""

    traffic: ServiceTraffic
    gateways: Mapping[str, GatewayPublication]
    states: ProxyStates
    statistics: FleetStatistics
    first_seen: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)

    def since(self, proxy: str, type_url: str, state: TypeState | None, generation: int) -> float | None:
        """When the proxy acknowledged `generation` or a later one of a type; None: not yet."""
        if state is None or state.acked_generation is None or state.acked_generation < generation:
            return None
        seen = self.first_seen.get((proxy, type_url))
        if seen is None or seen[0] != generation:
            seen = (generation, state.acked_at or 0.0)
            self.first_seen[proxy, type_url] = seen
        return seen[1]


def traffic_report(sources: ServiceSources, proxies: Sequence[KnownProxy], now: float) -> TrafficReport:
    """The facts about one service at this moment."""
    reports = tuple(_proxy_report(sources, known, now) for known in proxies)
    present = [statistics for known in proxies if (statistics := sources.statistics.get(known.id))]
    silent = {report.proxy for report in reports if report.silent}
    heard = [statistics for statistics in present if statistics.proxy not in silent]
    return TrafficReport(
        proxies=reports,
        figures=_FiguresByRevision(sources.traffic, present, heard, now),
        unattributed_5xx=sum(statistics.unattributed_5xx for statistics in present),
    )


def _proxy_report(sources: ServiceSources, known: KnownProxy, now: float) -> ProxyReport:
    generations = sources.gateways[known.gateway].generations[sources.traffic.service.name]
    state = sources.states.get(known.id, generations.routes, generations.clusters)
    types = state.types if state is not None else {}
    statistics = sources.statistics.get(known.id)
    clusters_at = sources.since(known.id, CLUSTER, types.get(CLUSTER), generations.clusters)
    backends = {
        backend.revision: _backend_report(sources, backend, statistics, clusters_at)
        for backend in sources.traffic.backends
    }
    if statistics is not None:
        _add_withdrawn(backends, sources.traffic, statistics)
    return ProxyReport(
        proxy=known.id,
        gateway=known.gateway,
        connected=state is not None,
        routes_acknowledged_at=sources.since(known.id, ROUTE, types.get(ROUTE), generations.routes),
        clusters_acknowledged_at=clusters_at,
        endpoints_acknowledged_at=_both(
            clusters_at, sources.since(known.id, ENDPOINT, types.get(ENDPOINT), generations.clusters)
        ),
        rejected=_rejection(sources.traffic, types, generations),
        listener_rejected=_listener_rejection(types.get(LISTENER)),
        silent=state is None or _is_silent(statistics, now),
        has_namesake=sources.statistics.namesakes.has(known.id, now),
        backends=backends,
    )


def _is_silent(statistics: ProxyStatistics | None, now: float) -> bool:
    reported_at = statistics.reported_at if statistics is not None else None
    return reported_at is None or reported_at < now - WINDOW


def _both(one: float | None, other: float | None) -> float | None:
    """The later of two moments; None while one is still to come."""
    return None if one is None or other is None else max(one, other)


def _add_withdrawn(
    backends: dict[int, BackendReport], traffic: ServiceTraffic, statistics: ProxyStatistics
) -> None:
    """Revisions that are wanted no more but still in the proxy's last report: requests are pinned to them."""
    for name, seen in statistics.clusters_of(traffic.service.name):
        if name.revision not in backends and seen.reported_at == statistics.reported_at:
            backends[name.revision] = BackendReport(
                name.revision, healthy=seen.healthy, readings=seen.readings
            )


def _backend_report(
    sources: ServiceSources,
    backend: Backend,
    statistics: ProxyStatistics | None,
    clusters_at: float | None,
) -> BackendReport:
    service = sources.traffic.service.name
    seen = statistics.cluster(ClusterName(service, backend.revision)) if statistics is not None else None
    if statistics is None or seen is None:
        return BackendReport(backend.revision, clusters_at is not None, clusters_at)
    proven = clusters_at is not None or is_proven(seen, backend)
    return BackendReport(
        revision=backend.revision,
        acknowledged=proven,
        acknowledged_at=clusters_at,
        healthy=seen.healthy,
        warming=seen.warming,
        readings=statistics.production_readings(service, backend.revision),
        active=seen.active,
    )


def _rejection(traffic: ServiceTraffic, types: Mapping[str, TypeState], since: Generations) -> str | None:
    """What the proxy said when it refused a state that contains this service's present one.

    A refused set of clusters names those that were wrong; the others were applied all the same.
    """
    for type_url, generation in (
        (LISTENER, 0),
        (CLUSTER, since.clusters),
        (ENDPOINT, since.clusters),
        (ROUTE, since.routes),
    ):
        state = types.get(type_url)
        if state is None or state.nack is None or state.nack.generation < generation:
            continue
        if state.acked_generation is not None and state.acked_generation >= max(
            generation, state.nack.generation
        ):
            continue
        ours = cluster_name(traffic.service.name, 0).removesuffix("0")
        if type_url in (CLUSTER, ENDPOINT) and ours not in state.nack.text:
            continue
        if type_url == LISTENER and _has(types.get(ROUTE), since.routes):
            continue
        hint = " (restart that Envoy once the cause is gone)" if type_url == LISTENER else ""
        return f"{TYPE_NAMES[type_url]}: {state.nack.text[:MAXIMUM_TEXT]}{hint}"
    return None


def _listener_rejection(state: TypeState | None) -> str | None:
    """What the proxy said of its listeners, as long as it has no later ones. It goes on with those it had,
    and so may a release."""
    if state is None or state.nack is None or _has(state, state.nack.generation):
        return None
    return state.nack.text[:MAXIMUM_TEXT]


def _has(state: TypeState | None, generation: int) -> bool:
    return state is not None and state.acked_generation is not None and state.acked_generation >= generation


class _FiguresByRevision(Mapping[int, RequestFigures]):
    """Added up over the proxies when they are asked for: most decisions do not ask."""

    def __init__(
        self,
        traffic: ServiceTraffic,
        present: Sequence[ProxyStatistics],
        heard: Sequence[ProxyStatistics],
        now: float,
    ) -> None:
        self._names = {
            each.revision: ClusterName(traffic.service.name, each.revision) for each in traffic.backends
        }
        self._present, self._heard, self._now = present, heard, now
        self._known: dict[int, RequestFigures] = {}

    def __getitem__(self, revision: int) -> RequestFigures:
        if revision not in self._known:
            self._known[revision] = self._figures(self._names[revision])
        return self._known[revision]

    def __iter__(self) -> Iterator[int]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _figures(self, name: ClusterName) -> RequestFigures:
        """Counts of all; what says something of now only of those that have said it of late."""
        return _figures(_seen(name, self._present), _seen(name, self._heard), self._now)


def _seen(name: ClusterName, proxies: Iterable[ProxyStatistics]) -> list[ClusterStatistics]:
    return [cluster for statistics in proxies if (cluster := statistics.cluster(name))]


def _figures(
    seen: Sequence[ClusterStatistics], heard: Sequence[ClusterStatistics], now: float
) -> RequestFigures:
    latencies = merged(histogram for cluster in heard for histogram in cluster.latency.recent(now))
    classes: dict[int, int] = {}
    for cluster in seen:
        for class_, total in cluster.by_class.items():
            classes[class_] = classes.get(class_, 0) + total.value
    return RequestFigures(
        requests=sum(cluster.requests.value for cluster in seen),
        responses_by_class=classes,
        active=sum(cluster.active for cluster in heard),
        per_second=sum(cluster.rate.per_second(now) for cluster in heard),
        p50=quantile(latencies, 0.5),
        p99=quantile(latencies, 0.99),
    )


def proxy_facts(
    known: KnownProxy,
    state: ProxyState | None,
    seen: ProxyStatistics | None,
    nacks: NackCounts,
    *,
    has_namesake: bool,
) -> ProxyFacts:
    """One proxy for `bluegreen proxies`."""
    types = state.types if state is not None else {}
    return ProxyFacts(
        id=known.id,
        gateway=known.gateway,
        version=known.version,
        first_seen=known.first_seen,
        last_seen=state.last_seen if state is not None else known.last_seen,
        connected_since=state.connected_since if state is not None else None,
        reported_at=seen.reported_at if seen is not None else None,
        has_namesake=has_namesake,
        types=tuple(
            ResourceTypeFacts(
                type=TYPE_NAMES.get(url, url.rpartition(".")[2]),
                sent=each.sent_version or "",
                acknowledged=each.acked_version or "",
                rejected=each.nack.text[:MAXIMUM_TEXT] if each.nack is not None else "",
                subscriptions=each.subscriptions.names,
                nacks=nacks.of(known.id, url),
            )
            for url, each in sorted(types.items())
        ),
    )
