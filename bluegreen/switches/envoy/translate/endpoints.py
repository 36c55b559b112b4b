"""A revision's instances -> ClusterLoadAssignment (EDS)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from operator import attrgetter

from envoy.config.core.v3.address_pb2 import Address, SocketAddress
from envoy.config.core.v3.base_pb2 import Locality
from envoy.config.core.v3.health_check_pb2 import DRAINING, HEALTHY, UNHEALTHY, UNKNOWN, HealthStatus
from envoy.config.endpoint.v3.endpoint_components_pb2 import Endpoint as EnvoyEndpoint
from envoy.config.endpoint.v3.endpoint_components_pb2 import LbEndpoint, LocalityLbEndpoints
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from google.protobuf.wrappers_pb2 import UInt32Value

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.service import BY_PROVISIONER
from bluegreen.model.traffic import Backend, ServiceTraffic
from bluegreen.switches.envoy.names import cluster_name


def load_assignments(traffic: ServiceTraffic) -> tuple[ClusterLoadAssignment, ...]:
    """The endpoint resources of a service, one for each backend that needs no name resolved."""
    return tuple(
        load_assignment(cluster_name(traffic.service.name, backend.revision), backend)
        for backend in traffic.backends
        if not needs_dns(backend)
    )


def load_assignment(name: str, backend: Backend) -> ClusterLoadAssignment:
    """A backend's instances under a name, in one locality. Without a weight on the locality, proxyless gRPC
    clients find every call UNAVAILABLE (gRFC A27)."""
    statuses = _health_statuses(backend)
    by_default = HEALTHY if backend.health_check == BY_PROVISIONER else UNKNOWN
    instances = [
        LbEndpoint(
            endpoint=EnvoyEndpoint(address=socket_address(each)),
            health_status=statuses.get(each, by_default),
        )
        for each in sorted(set(backend.endpoints), key=attrgetter("host", "port"))
    ]
    locality = LocalityLbEndpoints(
        locality=Locality(zone=backend.environment.value),
        lb_endpoints=instances,
        load_balancing_weight=UInt32Value(value=1),
    )
    return ClusterLoadAssignment(cluster_name=name, endpoints=[locality])


def _health_statuses(backend: Backend) -> Mapping[Endpoint, HealthStatus]:
    """Of those that get no new requests. Envoy takes an instance for unhealthy that either this or its own
    check calls so; below the panic threshold it uses them all the same."""
    return dict.fromkeys(backend.unhealthy, UNHEALTHY) | dict.fromkeys(backend.draining, DRAINING)


def needs_dns(backend: Backend) -> bool:
    """Whether an instance is given by a name. EDS carries IP addresses only (ClusterLoadAssignment), so the
    endpoints of such a backend stand in its cluster, and each proxy resolves them."""
    return not all(is_ip_address(each.host) for each in backend.endpoints)


@lru_cache(maxsize=65_536)  # asked again about every instance whenever one of them changes
def is_ip_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def socket_address(endpoint: Endpoint) -> Address:
    return Address(socket_address=SocketAddress(address=endpoint.host, port_value=endpoint.port))
