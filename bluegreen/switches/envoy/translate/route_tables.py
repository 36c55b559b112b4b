"""All services of a gateway -> RouteConfiguration (RDS), kept up to date service by service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from envoy.config.route.v3.route_pb2 import RouteConfiguration

from bluegreen.model.traffic import ServiceTraffic
from bluegreen.switches.envoy.names import preview_route_table_name, route_table_name
from bluegreen.switches.envoy.translate.routes import EncodedRoute, encoded_routes
from bluegreen.switches.envoy.translate.targets import Target, preview_target, production_target
from bluegreen.switches.envoy.translate.virtual_hosts import (
    DomainGroup,
    domain_groups,
    domains,
    encoded_virtual_host,
)
from bluegreen.switches.envoy.translate.wire import nested

_VIRTUAL_HOSTS = RouteConfiguration.VIRTUAL_HOSTS_FIELD_NUMBER


@dataclass(frozen=True, slots=True)
class _Entry:
    """What one service brings to a route table."""

    domains: frozenset[str]
    clusters: frozenset[str]
    routes: tuple[EncodedRoute, ...]


class RouteTable:
    """A gateway's routes, encoded per service: one service's change encodes nothing of another one again.

    Equal content gives equal bytes, whatever way led to it. Whether a service belongs to the gateway is the
    caller's to know.
    """

    def __init__(self, name: str, target: Callable[[ServiceTraffic], Target]) -> None:
        self.name = name
        self._target = target
        self._entries: dict[str, _Entry] = {}
        # In the order of the table; empty: to be encoded.
        self._virtual_hosts: dict[DomainGroup, bytes] = {}
        self._grouped = True
        self._encoded: bytes | None = None

    @classmethod
    def production(cls, gateway: str) -> RouteTable:
        """The table of a gateway's production listener: the routed backends by their weights."""
        return cls(route_table_name(gateway), production_target)

    @classmethod
    def preview(cls, gateway: str) -> RouteTable:
        """The table of a gateway's preview listener: the previewed backend."""
        return cls(preview_route_table_name(gateway), preview_target)

    def put(self, traffic: ServiceTraffic) -> bool:
        """Add a service, or replace it by its present state; whether that changes anything. Raises ValueError
        where weights do not add up to TOTAL_WEIGHT."""
        name = traffic.service.name
        target = self._target(traffic)
        if not target.clusters and not target.unavailable:
            return self.remove(name)
        entry = _Entry(domains(traffic.service), target.named, encoded_routes(traffic, target))
        before = self._entries.get(name)
        if before == entry:
            return False
        self._entries[name] = entry
        self._forget(name, regroup=before is None or before.domains != entry.domains)
        return True

    def remove(self, service: str) -> bool:
        """Take a service out; whether it was in."""
        if self._entries.pop(service, None) is None:
            return False
        self._forget(service, regroup=True)
        return True

    def encode(self) -> bytes:
        """The RouteConfiguration; the same bytes as long as nothing changes."""
        if self._encoded is None:
            self._encoded = self._join()
        return self._encoded

    @property
    def clusters(self) -> frozenset[str]:
        """The clusters that the routes name; so nobody has to read them out of the bytes again."""
        return frozenset().union(*(entry.clusters for entry in self._entries.values()))

    def _forget(self, service: str, *, regroup: bool) -> None:
        self._encoded = None
        if regroup:
            self._grouped = False
        for group in self._virtual_hosts:
            if service in group.services:
                self._virtual_hosts[group] = b""

    def _join(self) -> bytes:
        if not self._grouped:
            groups = domain_groups({name: entry.domains for name, entry in self._entries.items()})
            self._virtual_hosts = {group: self._virtual_hosts.get(group, b"") for group in groups}
            self._grouped = True
        for group, encoded in self._virtual_hosts.items():
            if not encoded:
                self._virtual_hosts[group] = nested(_VIRTUAL_HOSTS, self._virtual_host(group))
        head = RouteConfiguration(name=self.name)
        # A client may write the port or not: it is the listener's, and says nothing.
        tail = RouteConfiguration(ignore_port_in_host_matching=True)
        return b"".join((head.SerializeToString(), *self._virtual_hosts.values(), tail.SerializeToString()))

    def _virtual_host(self, group: DomainGroup) -> bytes:
        routes = [route for name in group.services for route in self._entries[name].routes]
        return encoded_virtual_host(group, routes)
