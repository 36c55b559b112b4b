"""The port to whatever moves the traffic: Envoy first; a cloud load balancer or nginx could follow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bluegreen.model.fleet import ProxyFacts
from bluegreen.model.gateway import Gateway
from bluegreen.model.known_proxy import KnownProxy
from bluegreen.model.revision_figures import ServiceFigures
from bluegreen.model.traffic import ServiceTraffic
from bluegreen.model.traffic_report import TrafficReport


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a switch can prove. The controller asks for no proof that the switch cannot give."""

    acknowledges_per_proxy: bool
    exact_drain: bool  # counts the requests under way per revision
    steps: bool  # can divide traffic, not only move it whole


class TrafficSwitch(Protocol):
    """Every call states the whole wanted state of one service and returns once it is on its way; what
    has arrived is told by `observe`. Saying the same again changes nothing, so that a restarted
    controller simply says everything once more.

    The verbs differ in what may change since the last call:

    - `prepare` makes backends known that take no production traffic yet;
    - `set_weights` changes only the division of the traffic, and must be one atomic step for each proxy;
    - `retire` takes away backends that have no traffic: first from the routes, then themselves.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    def restore(self, gateways: Mapping[str, Gateway], traffic: Mapping[str, ServiceTraffic]) -> None:
        """Take over the whole wanted state, after a start or an `apply`."""
        ...

    def prepare(self, traffic: ServiceTraffic) -> None: ...

    def set_weights(self, traffic: ServiceTraffic) -> None: ...

    def retire(self, traffic: ServiceTraffic) -> None: ...

    def know(self, proxies: Sequence[KnownProxy]) -> None:
        """Take over the known fleet, after a start: barriers wait for these, connected or not."""
        ...

    def forget(self, proxy: str) -> None:
        """Strike a proxy from the known fleet. One that is connected is seen again at once."""
        ...

    def observe(self, service: str) -> TrafficReport:
        """The facts of this moment about a service."""
        ...

    def figures(self, service: str, since: float) -> ServiceFigures:
        """What the proxies reported of a service's requests from `since` (seconds since the epoch) until now.
        Only the last minutes are kept: `RevisionFigures.seconds` tells how much of that is known."""
        ...

    def fleet(self) -> Sequence[ProxyFacts]:
        """Every known proxy, in the order of gateway and name."""
        ...

    def refused(self) -> Sequence[ProxyFacts]:
        """Proxies that were turned away of late, each with the reason; they are not known."""
        ...

    def on_proxy_seen(self, notify: Callable[[KnownProxy], None]) -> None:
        """Call `notify(proxy)` when a proxy connects or goes; the owner makes that durable."""
        ...

    def on_change(self, notify: Callable[[Collection[str]], None]) -> None:
        """Call `notify(services)` on the event loop whenever reports on these may have changed. It is called
        often, and must be quick."""
        ...
