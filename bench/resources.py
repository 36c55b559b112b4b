"""What the servers under test serve."""

from __future__ import annotations

from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2


def cluster(name: str) -> Any:
    message = cluster_pb2.Cluster(name=name, type=cluster_pb2.Cluster.EDS)
    message.eds_cluster_config.eds_config.ads.SetInParent()
    message.connect_timeout.seconds = 1
    return message


def endpoints(name: str, count: int, shift: int = 0) -> Any:
    message = endpoint_pb2.ClusterLoadAssignment(cluster_name=name)
    locality = message.endpoints.add()
    for number in range(count):
        address = locality.lb_endpoints.add().endpoint.address.socket_address
        address.address, address.port_value = f"10.0.{number // 250}.{number % 250}", 8000 + shift
    return message


def listener(name: str = "entry", table: str = "table") -> Any:
    message = listener_pb2.Listener(name=name)
    message.address.socket_address.address = "127.0.0.1"
    message.address.socket_address.port_value = 10000
    manager = http_connection_manager_pb2.HttpConnectionManager(stat_prefix="in")
    manager.rds.route_config_name = table
    manager.rds.config_source.ads.SetInParent()
    message.filter_chains.add().filters.add(name="http").typed_config.Pack(manager)
    return message


def route(weight: int, name: str = "table") -> Any:
    """About 1 KB."""
    message = route_pb2.RouteConfiguration(name=name)
    for number in range(10):
        host = message.virtual_hosts.add(name=f"host-{number}", domains=[f"host-{number}.example.test"])
        entry = host.routes.add()
        entry.match.prefix = "/"
        for cluster_name, share in (("blue", 100 - weight), ("green", weight)):
            entry.route.weighted_clusters.clusters.add(name=cluster_name).weight.value = share
    return message
