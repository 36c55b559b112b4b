"""A service with two revisions, as tests vary it."""

from __future__ import annotations

from typing import Any

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.environment import Environment
from bluegreen.model.secret import Secret
from bluegreen.model.service import Service
from bluegreen.model.steering import ManualRouting
from bluegreen.model.traffic import Backend, ServiceTraffic

BLUE, GREEN = Environment.BLUE, Environment.GREEN
MANUAL = ManualRouting("x-candidate", Secret("only-testers-know-this"))


def service(name: str = "shop", **changes: Any) -> Service:
    return Service(**{"name": name, "gateways": ("edge",), "domains": (f"{name}.example.com",)} | changes)


def backend(
    revision: int = 1, *addresses: str, weight: int = 0, routed: bool = True, of: Service | None = None
) -> Backend:
    """Odd revisions are blue. `of`: deployed as the service is described."""
    environment = BLUE if revision % 2 else GREEN
    endpoints = tuple(Endpoint.parse(each) for each in addresses or (f"127.0.0.1:{8000 + revision}",))
    of = of or service()
    return Backend(revision, environment, endpoints, routed, weight, of.upstream, of.health_check)


def traffic(of: Service, green_weight: int = 0) -> ServiceTraffic:
    """Revision 1 on blue, revision 2 on green, previewed and on its way to the production entry."""
    backends = (backend(1, weight=100 - green_weight, of=of), backend(2, weight=green_weight, of=of))
    return ServiceTraffic(of, backends, preview=2, candidate=2)
