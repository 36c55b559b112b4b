"""What the service file says of one service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bluegreen.model.database import Database
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.environment import Environment
from bluegreen.model.gates import Gates
from bluegreen.model.provisioning import Provisioning
from bluegreen.model.steering import Affinity, ManualRouting, Mirror
from bluegreen.model.strategy import Strategy


class Protocol(StrEnum):
    """What the instances of a service speak."""

    HTTP1 = "http1"
    HTTP2 = "http2"
    GRPC = "grpc"  # HTTP/2, and answered statuses are read from the trailers


@dataclass(frozen=True, slots=True)
class Retries:
    """Attempts after the first, for failures in which the request cannot have been acted on."""

    attempts: int = 3
    # A request that was cut short is repeated as well, but only a GET, HEAD or OPTIONS: a copy of a POST
    # could be acted on twice.
    reset: bool = True


@dataclass(frozen=True, slots=True)
class Route:
    """The requests of a domain that a service answers: those below `path`, or exactly `path`."""

    path: str = "/"
    exact: bool = False
    timeout: float = 15.0  # seconds for the whole answer; 0: none
    idle_timeout: float = 300.0  # seconds without a byte in either direction; 0: none
    retries: Retries = field(default_factory=Retries)
    websocket: bool = False

    def __str__(self) -> str:
        return f"path {self.path}" if self.exact else f"prefix {self.path}"


class HealthCheckType(StrEnum):
    """What an instance is asked."""

    CONNECT = "connect"  # whether it takes a TCP connection
    HTTP = "http"  # a path, which is to answer with a status of class 2xx
    GRPC = "grpc"  # the gRPC health protocol, about the whole server
    PROVISIONER = "provisioner"  # nothing: whoever provides it says how it is


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How it is found out which instances can serve. Durations in seconds. `path` is for HTTP only; nothing
    but the type counts where the provisioner judges."""

    path: str = "/healthz"
    interval: float = 1.0
    timeout: float = 1.0
    healthy_threshold: int = 1
    unhealthy_threshold: int = 3
    type: HealthCheckType = HealthCheckType.HTTP


CONNECT = HealthCheck(type=HealthCheckType.CONNECT)
"""The least that can be asked of an instance: that it listens."""

BY_PROVISIONER = HealthCheck(type=HealthCheckType.PROVISIONER)
"""The proxies ask nothing, and go by what they are told."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """How the proxies speak to the instances."""

    protocol: Protocol = Protocol.HTTP1
    connect_timeout: float = 1.0  # seconds
    # Must stay below the instances' own keep-alive timeout: a connection that both sides close at once
    # costs a request.
    idle_timeout: float = 30.0  # seconds
    # Per proxy and revision; far above what is planned for, since a full circuit breaker answers 503.
    max_connections: int = 100_000
    max_requests: int = 100_000
    # Percent of healthy hosts below which Envoy uses them all; Envoy's own default.
    panic_threshold: int = 50


@dataclass(frozen=True, slots=True)
class Drain:
    """How the old environment is emptied."""

    # Seconds after the last acknowledgement in which a filter ahead of the router may still send requests.
    grace: float = 1.0
    # Seconds until draining ends, whatever is still pinned.
    deadline: float = 60.0


@dataclass(frozen=True, slots=True)
class Service:
    """Something with a production entry behind Envoy; it owns two environments."""

    name: str
    gateways: tuple[str, ...]
    domains: tuple[str, ...]
    routes: tuple[Route, ...] = (Route(),)
    upstream: Upstream = field(default_factory=Upstream)
    # None: an instance counts as healthy as soon as it is known, whether it listens or not.
    health_check: HealthCheck | None = CONNECT
    strategy: Strategy = field(default_factory=Strategy)
    drain: Drain = field(default_factory=Drain)
    keep_warm: float = 1800.0  # seconds that the old environment stays ready for the way back
    # Instances that the file lists per environment; `deploy --endpoint` overrides them.
    endpoints: Mapping[Environment, tuple[Endpoint, ...]] = field(default_factory=dict)
    affinity: Affinity | None = None
    manual_routing: ManualRouting | None = None
    mirror: Mirror | None = None
    gates: Gates = field(default_factory=Gates)
    # None: `deploy` is told the endpoints, or `endpoints` lists them.
    provisioning: Provisioning | None = None
    # None: its versions share no database, or bluegreen has nothing to do with it.
    database: Database | None = None
