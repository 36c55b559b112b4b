"""What a switch is told about one service: absolute, so that saying it twice does no harm."""

from __future__ import annotations

from dataclasses import dataclass, field

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.environment import Environment
from bluegreen.model.service import CONNECT, HealthCheck, Service, Upstream


@dataclass(frozen=True, slots=True)
class Backend:
    """One revision of a service, as the data plane is to know it.

    `routed`: the routes may name it; before that only its endpoints are made known, so that they can be
    warmed. `weight` is its share of the production traffic, 0 to 100.
    """

    revision: int
    environment: Environment
    endpoints: tuple[Endpoint, ...]
    routed: bool
    weight: int = 0
    upstream: Upstream = field(default_factory=Upstream)
    health_check: HealthCheck | None = CONNECT
    draining: tuple[Endpoint, ...] = ()  # those among the endpoints that get no new requests
    unhealthy: tuple[Endpoint, ...] = ()  # those that their provisioner says cannot serve


@dataclass(frozen=True, slots=True)
class ServiceTraffic:
    """The wanted state of one service. `preview` is the revision that the preview listener reaches;
    `candidate` the one on its way to the production entry, which may have requests past its weight.

    The weights of the routed backends add up to TOTAL_WEIGHT, or all are 0: then there is no active
    version, and the service answers 503 by itself.
    """

    service: Service
    backends: tuple[Backend, ...] = ()
    preview: int | None = None
    candidate: int | None = None
