"""Small resources of each kind, for tests."""

from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2

from xds_server import Resource


def cluster(name: str, connect_seconds: int = 1) -> Resource:
    """An EDS cluster over ADS."""
    message = cluster_pb2.Cluster(name=name, type=cluster_pb2.Cluster.EDS)
    message.eds_cluster_config.eds_config.ads.SetInParent()
    message.eds_cluster_config.eds_config.resource_api_version = 2
    message.connect_timeout.seconds = connect_seconds
    return Resource.of(message)


def endpoints(name: str, *ports: int) -> Resource:
    message = endpoint_pb2.ClusterLoadAssignment(cluster_name=name)
    locality = message.endpoints.add()
    locality.locality.zone = "here"
    locality.load_balancing_weight.value = 1
    for port in ports or (1,):
        address = locality.lb_endpoints.add().endpoint.address.socket_address
        address.address, address.port_value = "127.0.0.1", port
    return Resource.of(message)


def route(name: str, **weights: int) -> Resource:
    """A route table that spreads everything over clusters by weight; without any it answers 204 itself."""
    message = route_pb2.RouteConfiguration(name=name)
    host = message.virtual_hosts.add(name="all", domains=["*"])
    entry = host.routes.add()
    entry.match.prefix = "/"
    for target, weight in weights.items():
        entry.route.weighted_clusters.clusters.add(name=target).weight.value = weight
    if not weights:
        entry.direct_response.status = 204
    return Resource.of(message)


def listener(name: str, routes: str = "", port: int = 0) -> Resource:
    message = listener_pb2.Listener(name=name)
    message.address.socket_address.address = "127.0.0.1"
    message.address.socket_address.port_value = port
    manager = http_connection_manager_pb2.HttpConnectionManager(stat_prefix="in")
    manager.http_filters.add(name="router").typed_config.Pack(router_pb2.Router())
    if routes:
        manager.rds.route_config_name = routes
        manager.rds.config_source.ads.SetInParent()
        manager.rds.config_source.resource_api_version = 2
    message.filter_chains.add().filters.add(name="http").typed_config.Pack(manager)
    return Resource.of(message)


def service(name: str, port: int = 1, table: str = "table") -> list[Resource]:
    """A whole small snapshot: one listener, one route table, one cluster with one endpoint."""
    return [
        cluster(name),
        endpoints(name, port),
        listener("entry", table),
        route(table, **{name: 100}),
    ]
