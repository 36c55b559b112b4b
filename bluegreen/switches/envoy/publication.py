"""What of each service is published to a gateway, and since which generation of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bluegreen.model.gateway import Gateway
from bluegreen.model.traffic import Backend, ServiceTraffic
from bluegreen.switches.envoy.metrics.cluster_statistics import ClusterStatistics
from bluegreen.switches.envoy.metrics.proxy_statistics import ProxyStatistics
from bluegreen.switches.envoy.names import ClusterName
from bluegreen.switches.envoy.translate.clusters import clusters
from bluegreen.switches.envoy.translate.endpoints import load_assignments
from bluegreen.switches.envoy.translate.listeners import listeners
from bluegreen.switches.envoy.translate.route_tables import RouteTable
from xds_server import CLUSTER, ROUTE, Links, ProxyState, Resource, XdsServer

Key = tuple[str, str]  # type URL and name


@dataclass(slots=True)
class Generations:
    """The generations of a gateway's state with which a service's present routes and clusters began: a
    proxy that has acknowledged these or later ones has them."""

    routes: int = 0
    clusters: int = 0


@dataclass(frozen=True, slots=True)
class _News:
    """What a service's state changes: its clusters and endpoints, and whether its routes."""

    put: list[Resource]
    remove: list[Key]
    routes: bool


@dataclass(frozen=True, slots=True)
class _Cluster:
    """One of a service's clusters, ready to be compared with what proxies report."""

    name: ClusterName
    resource: Resource
    backend: Backend


class GatewayPublication:
    """One gateway: its listeners, its two route tables, and the clusters of its services."""

    def __init__(self, gateway: Gateway, server: XdsServer) -> None:
        self.gateway = gateway
        self.generations: dict[str, Generations] = {}
        self._server = server
        self._tables = (RouteTable.production(gateway.name), RouteTable.preview(gateway.name))
        self._resources: dict[str, Mapping[Key, Resource]] = {}
        self._clusters: dict[str, list[_Cluster]] = {}

    @property
    def is_bare(self) -> bool:
        """Whether no service has an active version here: with these routes a proxy answers 404 to all."""
        return not self._tables[0].clusters

    def replace(self, gateway: Gateway, services: Iterable[ServiceTraffic]) -> None:
        """Publish the gateway's whole state."""
        self.gateway = gateway
        wanted = {traffic.service.name: traffic for traffic in services}
        for name in self._resources.keys() - wanted.keys():
            del self._resources[name], self._clusters[name]
            self.generations.pop(name, None)
            for table in self._tables:
                table.remove(name)
        news = {name: self._take(traffic) for name, traffic in wanted.items()}
        generation = self._server.publish(gateway.name, self._everything())
        for name, news_of_service in news.items():
            self._note(name, news_of_service, generation)

    def put(self, traffic: ServiceTraffic) -> None:
        """Publish one service's change, and nothing else."""
        news = self._take(traffic)
        routes = self._route_tables() if news.routes else []
        generation = self._server.change(self.gateway.name, [*news.put, *routes], news.remove)
        self._note(traffic.service.name, news, generation)

    def _take(self, traffic: ServiceTraffic) -> _News:
        name = traffic.service.name
        before, after = self._resources.get(name, {}), _resources(traffic)
        self._resources[name] = after
        self._clusters[name] = list(_clusters(traffic, after))
        tables_changed = [table.put(traffic) for table in self._tables]
        return _News(
            put=[
                each
                for key, each in after.items()
                if key not in before or before[key].version != each.version
            ],
            remove=[key for key in before if key not in after],
            routes=True in tables_changed,
        )

    def _note(self, service: str, news: _News, generation: int) -> None:
        since = self.generations.setdefault(service, Generations(generation, generation))
        if news.routes:
            since.routes = generation
        if news.put or news.remove:
            since.clusters = generation

    def proven_by(self, statistics: ProxyStatistics) -> list[Resource]:
        """The clusters that a proxy's statistics show in use, warmed, with all their instances."""
        return [
            cluster.resource
            for clusters_of_service in self._clusters.values()
            for cluster in clusters_of_service
            if (seen := statistics.cluster(cluster.name)) is not None and is_proven(seen, cluster.backend)
        ]

    def _everything(self) -> Iterable[Resource]:
        yield from map(Resource.of, listeners(self.gateway))
        yield from self._route_tables()
        for resources in self._resources.values():
            yield from resources.values()

    def _route_tables(self) -> list[Resource]:
        return [
            Resource.encoded(ROUTE, table.name, table.encode(), Links(clusters=table.clusters))
            for table in self._tables
        ]


def is_proven(seen: ClusterStatistics, backend: Backend) -> bool:
    """Whether a proxy's statistics show that it uses this cluster with these endpoints. The cluster's name is
    this revision's alone, so nothing older can be meant."""
    return seen.warming is False and seen.members is not None and seen.members >= len(backend.endpoints)


def awaits_clusters(state: ProxyState) -> bool:
    """Whether the proxy has not acknowledged the clusters that it was sent last."""
    clusters = state.types.get(CLUSTER)
    return clusters is not None and clusters.outstanding


def _resources(traffic: ServiceTraffic) -> Mapping[Key, Resource]:
    messages = (*clusters(traffic), *load_assignments(traffic))
    return {resource.key: resource for resource in map(Resource.of, messages)}


def _clusters(traffic: ServiceTraffic, resources: Mapping[Key, Resource]) -> Iterable[_Cluster]:
    backends = {backend.revision: backend for backend in traffic.backends}
    for resource in resources.values():
        name = ClusterName.parse(resource.name) if resource.type_url == CLUSTER else None
        if name is not None:
            yield _Cluster(name, resource, backends[name.revision])
