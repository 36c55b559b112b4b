"""A gateway -> its production and its preview listener (LDS).

A listener that changes cuts the connections of its old self. So nothing here depends on services or weights,
and what later work may want to switch is laid out from the start: WebSockets are turned on per route, gRPC
statuses are counted, the access log waits behind a runtime key.
"""

from __future__ import annotations

from envoy.config.core.v3.address_pb2 import CidrRange
from envoy.config.core.v3.config_source_pb2 import AggregatedConfigSource, ApiVersion, ConfigSource
from envoy.config.core.v3.protocol_pb2 import HttpProtocolOptions
from envoy.config.listener.v3.listener_components_pb2 import Filter, FilterChain
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.extensions.filters.http.grpc_stats.v3.config_pb2 import FilterConfig as GrpcStats
from envoy.extensions.filters.http.router.v3.router_pb2 import Router
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
    HttpFilter,
    Rds,
)
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.gateway import Gateway
from bluegreen.switches.envoy.names import ListenerName
from bluegreen.switches.envoy.translate.access_log import access_log
from bluegreen.switches.envoy.translate.endpoints import socket_address
from bluegreen.switches.envoy.translate.http2 import http2_options
from bluegreen.switches.envoy.translate.packing import duration, packed

CONNECTION_BUFFER = 256 * 1024  # bytes
# What a client may take, in seconds: without a request, over the headers of one, without a byte (a route's
# own idle timeout stands above the last), and after the last answer of a connection that is closed.
IDLE_TIMEOUT = duration(3600)
REQUEST_HEADERS_TIMEOUT = duration(10)
STREAM_IDLE_TIMEOUT = duration(300)
DELAYED_CLOSE_TIMEOUT = duration(1)
# No range at all would mean every private address.
NOBODY = CidrRange(address_prefix="255.255.255.255", prefix_len=UInt32Value(value=32))


def listeners(gateway: Gateway) -> tuple[Listener, Listener]:
    """The production listener and the preview listener."""
    return (
        _listener(ListenerName(gateway.name), gateway.listen),
        _listener(ListenerName(gateway.name, preview=True), gateway.preview),
    )


def _listener(name: ListenerName, address: Endpoint) -> Listener:
    manager = Filter(
        name="envoy.filters.network.http_connection_manager", typed_config=packed(_connection_manager(name))
    )
    return Listener(
        name=str(name),
        stat_prefix=str(name),
        address=socket_address(address),
        filter_chains=[FilterChain(filters=[manager])],
        per_connection_buffer_limit_bytes=UInt32Value(value=CONNECTION_BUFFER),
    )


def _connection_manager(name: ListenerName) -> HttpConnectionManager:
    return HttpConnectionManager(
        stat_prefix=str(name),
        rds=Rds(
            route_config_name=str(name),
            config_source=ConfigSource(ads=AggregatedConfigSource(), resource_api_version=ApiVersion.V3),
        ),
        http_filters=_http_filters(),
        access_log=[access_log()],
        http2_protocol_options=http2_options(allow_connect=True),
        # Known here, so that a route can allow it; off wherever none does.
        upgrade_configs=[
            HttpConnectionManager.UpgradeConfig(upgrade_type="websocket", enabled=BoolValue(value=False))
        ],
        common_http_protocol_options=HttpProtocolOptions(idle_timeout=IDLE_TIMEOUT),
        request_headers_timeout=REQUEST_HEADERS_TIMEOUT,
        stream_idle_timeout=STREAM_IDLE_TIMEOUT,
        delayed_close_timeout=DELAYED_CLOSE_TIMEOUT,
        # The peer's address is the client's; and no client counts as internal, or its x-envoy headers could
        # ask for retries and timeouts that no route allows.
        use_remote_address=BoolValue(value=True),
        internal_address_config=HttpConnectionManager.InternalAddressConfig(cidr_ranges=[NOBODY]),
        normalize_path=BoolValue(value=True),
        # The answer is the instance's own; through edge and sidecar a request keeps its first id.
        server_header_transformation=HttpConnectionManager.PASS_THROUGH,
        preserve_external_request_id=True,
    )


def _http_filters() -> list[HttpFilter]:
    # A gRPC failure is an HTTP 200: it is counted per cluster. Not per method: the client names those.
    grpc_stats = GrpcStats(stats_for_all_methods=BoolValue(value=False))
    return [
        HttpFilter(name="envoy.filters.http.grpc_stats", typed_config=packed(grpc_stats)),
        HttpFilter(name="envoy.filters.http.router", typed_config=packed(Router())),
    ]
