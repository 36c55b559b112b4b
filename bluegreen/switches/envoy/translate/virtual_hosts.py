"""Which services share a domain -> VirtualHost, encoded.

Envoy wants each domain of a route table in one virtual host only (`VirtualHost.domains`), but several
services may share a domain by path. So a virtual host stands for the domains that are claimed by the same
services, and its routes are those of these services together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from envoy.config.route.v3.route_components_pb2 import VirtualHost

from bluegreen.model.service import Service
from bluegreen.switches.envoy.translate.routes import EncodedRoute, in_order
from bluegreen.switches.envoy.translate.wire import nested


@dataclass(frozen=True, slots=True, order=True)
class DomainGroup:
    """Domains, sorted, that are claimed by the same services, sorted. No domain is in two groups."""

    domains: tuple[str, ...]
    services: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.domains[0]


def domains(service: Service) -> frozenset[str]:
    """A service's domains, in lower case: Envoy compares hosts without regard to case."""
    return frozenset(domain.lower() for domain in service.domains)


def domain_groups(claims: Mapping[str, Iterable[str]]) -> tuple[DomainGroup, ...]:
    """The groups, in the order of their first domains, of {service: domains}."""
    claimants: defaultdict[str, list[str]] = defaultdict(list)
    for service in sorted(claims):
        for domain in claims[service]:
            claimants[domain].append(service)
    groups: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for domain in sorted(claimants):
        groups[tuple(claimants[domain])].append(domain)
    return tuple(sorted(DomainGroup(tuple(held), services) for services, held in groups.items()))


def encoded_virtual_host(group: DomainGroup, routes: Iterable[EncodedRoute]) -> bytes:
    """The virtual host of a group; what its services have encoded is joined, not encoded again."""
    head = VirtualHost(name=group.name, domains=group.domains)
    body = (nested(VirtualHost.ROUTES_FIELD_NUMBER, each.encoded) for each in in_order(routes))
    return b"".join((head.SerializeToString(deterministic=True), *body))
