"""Where the requests of a service go: by weight, and past the weights."""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.model.traffic import Backend, ServiceTraffic
from bluegreen.model.traffic_rule import TOTAL_WEIGHT
from bluegreen.switches.envoy.names import Twin, cluster_name, twin_name


@dataclass(frozen=True, slots=True)
class Target:
    """Clusters with weights. Without any, `unavailable` is the answer, a 503; and where that is empty, the
    service claims no request at all.

    `manual`: the cluster of the requests that carry the header of the service's manual routing.
    """

    clusters: tuple[tuple[str, int], ...]
    unavailable: str = ""
    manual: str = ""

    @property
    def named(self) -> frozenset[str]:
        """All clusters that the routes name."""
        return frozenset((*(name for name, _ in self.clusters), self.manual)) - {""}


def production_target(traffic: ServiceTraffic) -> Target:
    """The routed backends by weight. Those with weight 0 are named as well: sticky users keep their side only
    if neither the clusters, nor their order, nor the sum of their weights changes on the way.

    Before its first promotion a service claims nothing: its requests go on going to whoever has them until
    now, such as a service with a shorter prefix that it is to take some over from.
    """
    routed = sorted(
        (backend for backend in traffic.backends if backend.routed),
        key=lambda backend: (backend.environment, backend.revision),
    )
    total = sum(backend.weight for backend in routed)
    if total == 0:
        return Target(())
    if total != TOTAL_WEIGHT:
        raise ValueError(f"the weights of {traffic.service.name} add up to {total}, not {TOTAL_WEIGHT}")
    name = traffic.service.name
    return Target(
        tuple((cluster_name(name, backend.revision), backend.weight) for backend in routed),
        manual=_manual(traffic, routed),
    )


def _manual(traffic: ServiceTraffic, routed: list[Backend]) -> str:
    """Of a candidate that has all traffic there is nothing left to choose."""
    chosen = [each for each in routed if each.revision == traffic.candidate and each.weight < TOTAL_WEIGHT]
    if traffic.service.manual_routing is None or not chosen:
        return ""
    return twin_name(traffic.service.name, chosen[0].revision, Twin.MANUAL)


def preview_target(traffic: ServiceTraffic) -> Target:
    """All requests to the previewed backend, once it may be routed to."""
    name = traffic.service.name
    previewed = tuple(
        (twin_name(name, backend.revision, Twin.PREVIEW), TOTAL_WEIGHT)
        for backend in traffic.backends
        if backend.routed and backend.revision == traffic.preview
    )
    return Target(previewed, f"{name} has no version to preview.\n")
