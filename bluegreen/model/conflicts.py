"""Where the parts of a catalogue contradict one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from bluegreen.model.catalogue import Catalogue
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.fault import Fault, repeated
from bluegreen.model.gate_conflicts import faults_of_gates, gateways_out_of_reach
from bluegreen.model.gateway import Gateway
from bluegreen.model.service import BY_PROVISIONER, Route, Service

IpAddress = IPv4Address | IPv6Address

Claim = tuple[str, str, bool, str]
"""Requests that only one service may have: gateway, domain, whether the path is exact, path."""


def conflicts(catalogue: Catalogue) -> list[Fault]:
    """All faults, gateways first, in the order of their names; none for a catalogue that can be served.

    Each of two services that are at odds over a route is fine by itself: the fault stands at the one that
    comes later by name, and its message names both.
    """
    faults = [fault for name in sorted(catalogue.gateways) for fault in _of_gateway(catalogue.gateways[name])]
    services = [catalogue.services[name] for name in sorted(catalogue.services)]
    for service in services:
        faults.extend(_of_service(service, catalogue))
    faults.extend(_between(services))
    faults.extend(gateways_out_of_reach(catalogue, services))
    return faults


def _of_gateway(gateway: Gateway) -> Iterator[Fault]:
    for key, endpoint in (("listen", gateway.listen), ("preview", gateway.preview)):
        if _ip_address(endpoint.host) is None:
            yield Fault(
                ("gateways", gateway.name, key),
                f"{endpoint} has no IP address: a listener binds to one, such as 127.0.0.1 or 0.0.0.0.",
            )
    if _collide(gateway.listen, gateway.preview):
        yield Fault(
            ("gateways", gateway.name, "preview"),
            f"{gateway.preview} is taken by this gateway's production listener, {gateway.listen}.",
        )


def _collide(one: Endpoint, other: Endpoint) -> bool:
    """Whether both cannot be bound on one machine; an unspecified address is every address."""
    hosts = [_ip_address(one.host), _ip_address(other.host)]
    overlap = hosts[0] == hosts[1] or any(host is not None and host.is_unspecified for host in hosts)
    return one.port == other.port and overlap


def _of_service(service: Service, catalogue: Catalogue) -> Iterator[Fault]:
    at = ("services", service.name)
    known = ", ".join(sorted(catalogue.gateways)) or "none"
    for index, gateway in enumerate(service.gateways):
        if gateway not in catalogue.gateways:
            yield Fault((*at, "gateways", index), f"There is no gateway {gateway!r}. Known: {known}.")
    for key, values in (
        ("gateways", service.gateways),
        ("domains", tuple(domain.lower() for domain in service.domains)),
        ("routes", tuple(_requests(route) for route in service.routes)),
    ):
        for index, first in repeated(values):
            yield Fault((*at, key, index), f"This says the same as {key}[{first}].")
    if service.provisioning is not None and service.endpoints:
        yield Fault(
            (*at, "instances"),
            "The instances come about in two ways at once, since environments lists endpoints: keep "
            "instances or environments.",
        )
    if service.provisioning is None and service.health_check == BY_PROVISIONER:
        yield Fault(
            (*at, "health_check"),
            "Nobody would say how the instances are: provisioner is for services with instances.",
        )
    yield from faults_of_gates(service)


def _between(services: Iterable[Service]) -> Iterator[Fault]:
    holders: dict[Claim, str] = {}
    for service in services:
        for index, route in enumerate(service.routes):
            taken: dict[str, Claim] = {}
            for claim in _claims(service, route):
                holder = holders.setdefault(claim, service.name)
                if holder != service.name:
                    taken.setdefault(holder, claim)
            for holder, (gateway, domain, *_) in taken.items():
                yield Fault(
                    ("services", service.name, "routes", index),
                    f"{service.name!r} and {holder!r} both claim {route} of {domain} on gateway {gateway}.",
                )


def _claims(service: Service, route: Route) -> Iterator[Claim]:
    for gateway in service.gateways:
        for domain in service.domains:
            yield (gateway, domain.lower(), *_requests(route))


def _requests(route: Route) -> tuple[bool, str]:
    """What a route matches. The prefixes /api and /api/ differ in nothing that two services could share."""
    return route.exact, route.path if route.exact else route.path.rstrip("/")


def _ip_address(host: str) -> IpAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
