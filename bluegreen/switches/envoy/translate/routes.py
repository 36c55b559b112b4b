"""A service's routes -> Route, encoded, each with its place among the routes of its virtual host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from envoy.config.core.v3.base_pb2 import DataSource
from envoy.config.route.v3.route_components_pb2 import (
    DirectResponseAction,
    HeaderMatcher,
    RouteAction,
    RouteMatch,
    WeightedCluster,
)
from envoy.config.route.v3.route_components_pb2 import Route as EnvoyRoute
from envoy.type.matcher.v3.regex_pb2 import RegexMatcher
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from bluegreen.model.service import Protocol, Route, Service
from bluegreen.model.traffic import ServiceTraffic
from bluegreen.model.traffic_rule import TOTAL_WEIGHT
from bluegreen.switches.envoy.names import cluster_name, preview_cluster_name
from bluegreen.switches.envoy.translate.hash_policies import hash_policies
from bluegreen.switches.envoy.translate.packing import duration
from bluegreen.switches.envoy.translate.retry_policies import CUT_SHORT, UNTOUCHED, retry_policy

SAFE_METHODS = HeaderMatcher(
    name=":method", string_match=StringMatcher(safe_regex=RegexMatcher(regex="GET|HEAD|OPTIONS"))
)
WEBSOCKET = RouteAction.UpgradeConfig(upgrade_type="websocket", enabled=BoolValue(value=True))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a service's requests go: clusters with weights. Without any, `unavailable` is the answer, a 503;
    and where that is empty, the service claims no request at all."""

    clusters: tuple[tuple[str, int], ...]
    unavailable: str = ""


@dataclass(frozen=True, slots=True)
class EncodedRoute:
    """A route's bytes; the smallest `place` is the most specific and comes first."""

    place: tuple[bool, int, str, str, bool]
    encoded: bytes


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
    return Target(tuple((cluster_name(name, backend.revision), backend.weight) for backend in routed))


def preview_target(traffic: ServiceTraffic) -> Target:
    """All requests to the previewed backend, once it may be routed to."""
    name = traffic.service.name
    previewed = tuple(
        (preview_cluster_name(name, backend.revision), TOTAL_WEIGHT)
        for backend in traffic.backends
        if backend.routed and backend.revision == traffic.preview
    )
    return Target(previewed, f"{name} has no version to preview.\n")


def encoded_routes(traffic: ServiceTraffic, target: Target) -> tuple[EncodedRoute, ...]:
    """A service's routes towards a target, the most specific first."""
    return tuple(in_order(_encoded_routes(traffic, target)))


def in_order(routes: Iterable[EncodedRoute]) -> list[EncodedRoute]:
    """The most specific first: an exact path before a prefix, a longer one before a shorter one."""
    return sorted(routes, key=attrgetter("place"))


def _encoded_routes(traffic: ServiceTraffic, target: Target) -> Iterator[EncodedRoute]:
    service = traffic.service
    for route in service.routes:
        for match, conditions in _matches(route, service.upstream.protocol):
            made = EnvoyRoute(match=match)
            if target.clusters:
                made.route.CopyFrom(_action(service, route, target, conditions))
            else:
                body = DataSource(inline_string=target.unavailable)
                made.direct_response.CopyFrom(DirectResponseAction(status=503, body=body))
            place = (not route.exact, -len(route.path), route.path, service.name, not match.headers)
            yield EncodedRoute(place, made.SerializeToString(deterministic=True))


def _matches(route: Route, protocol: Protocol) -> Iterator[tuple[RouteMatch, str]]:
    """The route's match with the failures after which its requests are repeated.

    A request cut short is repeated only where a copy does no harm. That takes a route of its own:
    `retriable_request_headers` would deny every retry to the other methods (Envoy's RetryPolicy). A gRPC
    request is always a POST.
    """
    repeat = route.retries.reset and route.retries.attempts > 0 and protocol is not Protocol.GRPC
    if repeat:
        safe = _match(route)
        safe.headers.append(SAFE_METHODS)
        yield safe, CUT_SHORT
    yield _match(route), UNTOUCHED


def _match(route: Route) -> RouteMatch:
    if route.exact:
        return RouteMatch(path=route.path)
    if route.path.endswith("/"):
        return RouteMatch(prefix=route.path)
    # Below /api are /api and /api/v1, but not /apiary.
    return RouteMatch(path_separated_prefix=route.path)


def _action(service: Service, route: Route, target: Target, conditions: str) -> RouteAction:
    return RouteAction(
        weighted_clusters=_weighted_clusters(service, target),
        hash_policy=hash_policies(service.affinity),
        timeout=duration(route.timeout),
        idle_timeout=duration(route.idle_timeout),
        retry_policy=retry_policy(route.retries.attempts, conditions),
        upgrade_configs=[WEBSOCKET] if route.websocket else [],
    )


def _weighted_clusters(service: Service, target: Target) -> WeightedCluster:
    made = WeightedCluster(
        clusters=[
            WeightedCluster.ClusterWeight(name=name, weight=UInt32Value(value=weight))
            for name, weight in target.clusters
        ]
    )
    if service.affinity is not None:
        made.use_hash_policy.value = True
    return made
