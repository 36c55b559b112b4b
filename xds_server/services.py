"""The gRPC services and methods of xDS, and what each serves (row TYPES)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .types import CLUSTER, ENDPOINT, LISTENER, ROUTE, RUNTIME, SECRET


@dataclass(frozen=True, slots=True)
class Service:
    """``only`` is the one type of a per-type service; None stands for all types (ADS)."""

    name: str
    stream: str
    delta: str
    only: str | None


def _per_type(path: str, noun: str, only: str) -> Service:
    return Service(f"envoy.service.{path}DiscoveryService", f"Stream{noun}", f"Delta{noun}", only)


SERVICES: Final = (
    Service(
        "envoy.service.discovery.v3.AggregatedDiscoveryService",
        "StreamAggregatedResources",
        "DeltaAggregatedResources",
        None,
    ),
    _per_type("cluster.v3.Cluster", "Clusters", CLUSTER),
    _per_type("endpoint.v3.Endpoint", "Endpoints", ENDPOINT),
    _per_type("listener.v3.Listener", "Listeners", LISTENER),
    _per_type("route.v3.Route", "Routes", ROUTE),
    _per_type("secret.v3.Secret", "Secrets", SECRET),
    _per_type("runtime.v3.Runtime", "Runtime", RUNTIME),
)
