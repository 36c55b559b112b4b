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

    `manual`: the cluster of the requests that carry the header of the service's manual routing. `mirror`: the
    cluster that copies go to. Empty: there is none.
    """

    clusters: tuple[tuple[str, int], ...]
    unavailable: str = ""
    manual: str = ""
    mirror: str = ""

    @property
    def named(self) -> frozenset[str]:
        """All clusters that the routes name."""
        return frozenset((*(name for name, _ in self.clusters), self.manual, self.mirror)) - {""}


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
    by_weight = tuple((cluster_name(name, backend.revision), backend.weight) for backend in routed)
    candidate = _candidate(traffic, routed)
    if candidate is None:
        return Target(by_weight)
    return Target(
        by_weight,
        manual=twin_name(name, candidate, Twin.MANUAL) if traffic.service.manual_routing else "",
        mirror=twin_name(name, candidate, Twin.MIRROR) if traffic.service.mirror else "",
    )


def _candidate(traffic: ServiceTraffic, routed: list[Backend]) -> int | None:
    """The revision that requests may go to past its weight. Once it has all traffic nothing is past it."""
    for backend in routed:
        if backend.revision == traffic.candidate and backend.weight < TOTAL_WEIGHT:
            return backend.revision
    return None


def preview_target(traffic: ServiceTraffic) -> Target:
    """All requests to the previewed backend, once it may be routed to."""
    name = traffic.service.name
    previewed = tuple(
        (twin_name(name, backend.revision, Twin.PREVIEW), TOTAL_WEIGHT)
        for backend in traffic.backends
        if backend.routed and backend.revision == traffic.preview
    )
    return Target(previewed, f"{name} has no version to preview.\n")
