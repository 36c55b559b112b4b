"""What tells the users of a service apart -> HashPolicy.

Envoy picks among weighted clusters by hash modulo the total weight, each cluster having a stretch of the
range, in their order (`WeightedCluster.use_hash_policy`). So with a constant total and order only the border
between blue and green moves, and a user crosses it at most once while it moves one way. The hash is that of
the value alone: every proxy decides the same.
"""

from __future__ import annotations

from envoy.config.route.v3.route_components_pb2 import RouteAction

from bluegreen.model.steering import Affinity, AffinitySource


def hash_policies(affinity: Affinity | None) -> list[RouteAction.HashPolicy]:
    """None or one. Without a time to live Envoy sets no cookie: the application issues it."""
    if affinity is None:
        return []
    if affinity.source is AffinitySource.HEADER:
        return [RouteAction.HashPolicy(header=RouteAction.HashPolicy.Header(header_name=affinity.name))]
    return [RouteAction.HashPolicy(cookie=RouteAction.HashPolicy.Cookie(name=affinity.name))]
