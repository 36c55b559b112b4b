"""How the proxies find out which instances can serve -> HealthCheck."""

from __future__ import annotations

from envoy.config.core.v3.health_check_pb2 import HealthCheck as EnvoyHealthCheck
from envoy.type.v3.http_pb2 import CodecClientType
from envoy.type.v3.range_pb2 import Int64Range
from google.protobuf.wrappers_pb2 import UInt32Value

from bluegreen.model.service import BY_PROVISIONER, HealthCheck, HealthCheckType, Protocol, Service
from bluegreen.model.traffic import Backend
from bluegreen.switches.envoy.translate.packing import duration


def health_checks(service: Service, backend: Backend) -> list[EnvoyHealthCheck]:
    """The active health check of a revision: none or one. Where the provisioner judges, its word stands with
    the endpoints.

    By the gRPC health protocol the whole server is asked for.
    """
    wanted = backend.health_check
    if wanted is None or wanted == BY_PROVISIONER:
        return []
    common = _rhythm(wanted)
    if wanted.type is HealthCheckType.CONNECT:
        return [EnvoyHealthCheck(**common, tcp_health_check=EnvoyHealthCheck.TcpHealthCheck())]
    if wanted.type is HealthCheckType.GRPC:
        return [EnvoyHealthCheck(**common, grpc_health_check=EnvoyHealthCheck.GrpcHealthCheck())]
    http = EnvoyHealthCheck.HttpHealthCheck(
        host=health_check_host(service),
        path=wanted.path,
        expected_statuses=[Int64Range(start=200, end=300)],
        codec_client_type=(
            CodecClientType.HTTP1 if backend.upstream.protocol is Protocol.HTTP1 else CodecClientType.HTTP2
        ),
    )
    return [EnvoyHealthCheck(**common, http_health_check=http)]


def health_check_host(service: Service) -> str:
    """The Host header of a health check: a domain that the service answers to. Envoy would send the cluster's
    name, which is no host name."""
    return next((domain for domain in service.domains if "*" not in domain), service.name)


def _rhythm(wanted: HealthCheck) -> dict[str, object]:
    interval = duration(wanted.interval)
    return {
        "timeout": duration(wanted.timeout),
        "interval": interval,
        # A candidate has no traffic, and Envoy would look at it once in 60 s only.
        "no_traffic_interval": interval,
        "no_traffic_healthy_interval": interval,
        # Proxies that learn of a revision at the same moment shall not go on asking it at the same moment.
        "interval_jitter_percent": 10,
        "healthy_threshold": UInt32Value(value=wanted.healthy_threshold),
        "unhealthy_threshold": UInt32Value(value=wanted.unhealthy_threshold),
    }
