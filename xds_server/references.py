"""What a resource refers to, read out of its message: the edges along which updates are ordered.

The walk is generic (any field named ``cluster`` or ``cluster_name``, at any depth, inside any known ``Any``),
so that a TCP proxy, a mirror policy or an authorization filter counts as much as a route. A reference made at
run time (``cluster_header``, a plugin) cannot be seen here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2
import envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2  # noqa: F401 - known to the walk by being loaded
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from google.protobuf import symbol_database
from google.protobuf.message import DecodeError, Message

from .types import CLUSTER, LISTENER, ROUTE

_CLUSTER_FIELDS: Final = frozenset({"cluster", "cluster_name"})
_WEIGHTED: Final = "envoy.config.route.v3.WeightedCluster.ClusterWeight"
_WEIGHTED_TCP: Final = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight"
_RDS: Final = "envoy.extensions.filters.network.http_connection_manager.v3.Rds"
_ANY: Final = "google.protobuf.Any"


@dataclass(frozen=True, slots=True)
class Links:
    """Names that one resource refers to. ``addresses`` are what a listener binds, not a reference."""

    clusters: frozenset[str] = frozenset()
    endpoints: frozenset[str] = frozenset()
    routes: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()


NO_LINKS: Final = Links()


def read_links(type_url: str, body: bytes) -> Links:
    """The links of a serialized resource; none for a type that refers to nothing we order by.

    Bytes that are no such message have none either: it is for the client to refuse them, with a NACK.
    """
    reader = _READERS.get(type_url)
    if reader is None:
        return NO_LINKS
    try:
        return reader(body)
    except DecodeError:
        return NO_LINKS


def _read_cluster(body: bytes) -> Links:
    cluster = cluster_pb2.Cluster.FromString(body)
    if cluster.WhichOneof("cluster_discovery_type") == "type" and cluster.type == cluster_pb2.Cluster.EDS:
        return Links(endpoints=frozenset({cluster.eds_cluster_config.service_name or cluster.name}))
    return NO_LINKS


def _read_route(body: bytes) -> Links:
    clusters: set[str] = set()
    _walk(route_pb2.RouteConfiguration.FromString(body), clusters, set())
    return Links(clusters=frozenset(clusters))


def _read_listener(body: bytes) -> Links:
    listener = listener_pb2.Listener.FromString(body)
    clusters: set[str] = set()
    routes: set[str] = set()
    _walk(listener, clusters, routes)
    bound = [listener.address, *(extra.address for extra in listener.additional_addresses)]
    addresses = frozenset(address.SerializeToString(deterministic=True).hex() for address in bound)
    return Links(clusters=frozenset(clusters), routes=frozenset(routes), addresses=addresses - {""})


_READERS: Final[dict[str, Callable[[bytes], Links]]] = {
    CLUSTER: _read_cluster,
    ROUTE: _read_route,
    LISTENER: _read_listener,
}


def _walk(message: Any, clusters: set[str], routes: set[str]) -> None:
    kind = message.DESCRIPTOR.full_name
    if kind == _ANY:
        inner = _unpack(message)
        if inner is not None:
            _walk(inner, clusters, routes)
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            _walk_field(field, value, clusters, routes)
        elif field.name in _CLUSTER_FIELDS or (field.name == "name" and kind in (_WEIGHTED, _WEIGHTED_TCP)):
            if isinstance(value, str):
                clusters.add(value)
        elif field.name == "route_config_name" and kind == _RDS:
            routes.add(value)


def _walk_field(field: Any, value: Any, clusters: set[str], routes: set[str]) -> None:
    if field.message_type.GetOptions().map_entry:
        if field.message_type.fields_by_name["value"].message_type is not None:
            for item in value.values():
                _walk(item, clusters, routes)
    elif isinstance(value, Message):
        _walk(value, clusters, routes)
    else:
        for item in value:
            _walk(item, clusters, routes)


def _unpack(packed: Any) -> Any | None:
    """The message inside, or None when its type is not loaded or its bytes are not of that type."""
    name = packed.type_url.rpartition("/")[2]
    try:
        return symbol_database.Default().GetSymbol(name).FromString(packed.value)
    except (KeyError, DecodeError):
        return None
