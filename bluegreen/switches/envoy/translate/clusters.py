"""A revision of a service -> Cluster (CDS), with the settings under which a cutover loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from envoy.config.cluster.v3.circuit_breaker_pb2 import CircuitBreakers
from envoy.config.cluster.v3.cluster_pb2 import Cluster, UpstreamConnectionOptions
from envoy.config.core.v3.address_pb2 import TcpKeepalive
from envoy.config.core.v3.config_source_pb2 import AggregatedConfigSource, ApiVersion, ConfigSource
from envoy.config.core.v3.protocol_pb2 import (
    Http1ProtocolOptions,
    HttpProtocolOptions,
)
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import (
    HttpProtocolOptions as UpstreamProtocolOptions,
)
from envoy.type.v3.percent_pb2 import Percent
from google.protobuf.wrappers_pb2 import UInt32Value

from bluegreen.model.service import Protocol, Service, Upstream
from bluegreen.model.traffic import Backend, ServiceTraffic
from bluegreen.switches.envoy.names import Twin, cluster_name, twin_name
from bluegreen.switches.envoy.translate.endpoints import load_assignment, needs_dns
from bluegreen.switches.envoy.translate.health_checks import health_checks
from bluegreen.switches.envoy.translate.http2 import MAX_CONCURRENT_STREAMS, http2_options
from bluegreen.switches.envoy.translate.packing import duration, packed

PROTOCOL_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

# Envoy's default of 3 retries at once turned half of the instances being dead into 1,266 failures of 15,000.
MAX_RETRIES = 1000
# Copies under way per proxy, and as many waiting for a connection.
MAX_COPIES = 1000
CONNECTION_BUFFER = 256 * 1024  # bytes
# Seconds. By default Envoy's workers hear of an instance's health up to a second after its admin interface
# and its statistics tell it: a proven version took all its traffic with one instance. This bounds the work
# where thousands change at once. (Cluster.CommonLbConfig, update_merge_window)
MERGE_WINDOW = 0.02


def clusters(traffic: ServiceTraffic) -> tuple[Cluster, ...]:
    """The clusters of a service: one for each backend, and their twins."""
    service = traffic.service
    return (
        *(cluster(service, backend) for backend in traffic.backends),
        *(
            twin_cluster(service, backend, twin)
            for backend in traffic.backends
            for twin in _twins(traffic, backend)
        ),
    )


def _twins(traffic: ServiceTraffic, backend: Backend) -> Iterator[Twin]:
    if backend.revision == traffic.preview:
        yield Twin.PREVIEW
    if traffic.service.manual_routing is not None:
        # Each revision's, from its first day to its last: what chosen users have under way must not lose its
        # cluster at the promotion that ends the choice.
        yield Twin.MANUAL
    if traffic.service.mirror is not None and backend.revision == traffic.candidate:
        yield Twin.MIRROR


def cluster(service: Service, backend: Backend) -> Cluster:
    """The cluster that takes a revision's production traffic."""
    made = _cluster(cluster_name(service.name, backend.revision), service, backend)
    made.health_checks.extend(health_checks(service, backend))
    return made


def twin_cluster(service: Service, backend: Backend, twin: Twin) -> Cluster:
    """A cluster for requests past the weights: the same endpoints, figures of its own.

    It has no health check, since that would double the checks that the instances see, and the verdict of the
    sibling cannot be shared. So such a request may meet an instance that is down; the retry on another one
    covers it, and whether the revision is healthy is told by the other cluster.
    """
    name = twin_name(service.name, backend.revision, twin)
    if twin is Twin.MIRROR:
        # Each copy has a connection of its own: those that are not read would else fill what all write to.
        return _cluster(name, service, replace(backend, upstream=_limited(backend.upstream)), streams=1)
    return _cluster(name, service, backend)


def _limited(upstream: Upstream) -> Upstream:
    """What a candidate that does not answer can make a proxy hold for copies. Those beyond are dropped."""
    return replace(
        upstream,
        max_connections=min(upstream.max_connections, MAX_COPIES),
        max_requests=min(upstream.max_requests, MAX_COPIES),
    )


def _cluster(name: str, service: Service, backend: Backend, streams: int = MAX_CONCURRENT_STREAMS) -> Cluster:
    upstream = backend.upstream
    made = Cluster(
        name=name,
        connect_timeout=duration(upstream.connect_timeout),
        per_connection_buffer_limit_bytes=UInt32Value(value=CONNECTION_BUFFER),
        lb_policy=Cluster.LEAST_REQUEST,
        circuit_breakers=_circuit_breakers(upstream),
        # Else an instance that was removed stays a member for as long as it answers its health check.
        ignore_health_on_host_removal=True,
        upstream_connection_options=UpstreamConnectionOptions(tcp_keepalive=TcpKeepalive()),
        common_lb_config=Cluster.CommonLbConfig(
            healthy_panic_threshold=Percent(value=upstream.panic_threshold),
            update_merge_window=duration(MERGE_WINDOW),
        ),
    )
    made.typed_extension_protocol_options[PROTOCOL_OPTIONS].CopyFrom(
        packed(_protocol_options(upstream, streams))
    )
    if needs_dns(backend):
        made.type = Cluster.STRICT_DNS
        made.dns_lookup_family = Cluster.V4_PREFERRED
        made.load_assignment.CopyFrom(load_assignment(name, backend))
    else:
        made.type = Cluster.EDS
        made.eds_cluster_config.CopyFrom(_endpoints_over_ads(cluster_name(service.name, backend.revision)))
    return made


def _endpoints_over_ads(resource: str) -> Cluster.EdsClusterConfig:
    return Cluster.EdsClusterConfig(
        eds_config=ConfigSource(ads=AggregatedConfigSource(), resource_api_version=ApiVersion.V3),
        service_name=resource,
    )


def _circuit_breakers(upstream: Upstream) -> CircuitBreakers:
    return CircuitBreakers(
        thresholds=[
            CircuitBreakers.Thresholds(
                max_connections=UInt32Value(value=upstream.max_connections),
                # A request waits for a connection at most as long as it is under way.
                max_pending_requests=UInt32Value(value=upstream.max_requests),
                max_requests=UInt32Value(value=upstream.max_requests),
                max_retries=UInt32Value(value=MAX_RETRIES),
            )
        ]
    )


def _protocol_options(upstream: Upstream, streams: int) -> UpstreamProtocolOptions:
    if upstream.protocol is Protocol.HTTP1:
        explicit = UpstreamProtocolOptions.ExplicitHttpConfig(http_protocol_options=Http1ProtocolOptions())
    else:
        explicit = UpstreamProtocolOptions.ExplicitHttpConfig(http2_protocol_options=http2_options(streams))
    return UpstreamProtocolOptions(
        common_http_protocol_options=HttpProtocolOptions(idle_timeout=duration(upstream.idle_timeout)),
        explicit_http_config=explicit,
    )
