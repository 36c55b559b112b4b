"""A service's routes -> Route, encoded, each with its place among the routes of its virtual host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
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
from bluegreen.model.steering import ManualRouting, MirroredMethods
from bluegreen.model.traffic import ServiceTraffic
from bluegreen.model.traffic_rule import TOTAL_WEIGHT
from bluegreen.switches.envoy.translate.hash_policies import hash_policies
from bluegreen.switches.envoy.translate.mirrors import NOT_LARGE, SMALL, mirror_policy
from bluegreen.switches.envoy.translate.packing import duration
from bluegreen.switches.envoy.translate.retry_policies import CUT_SHORT, UNTOUCHED, retry_policy
from bluegreen.switches.envoy.translate.targets import Target

SAFE_METHODS = HeaderMatcher(
    name=":method", string_match=StringMatcher(safe_regex=RegexMatcher(regex="GET|HEAD|OPTIONS"))
)
WEBSOCKET = RouteAction.UpgradeConfig(upgrade_type="websocket", enabled=BoolValue(value=True))


@dataclass(frozen=True, slots=True)
class EncodedRoute:
    """A route's bytes; the smallest `place` is the most specific and comes first."""

    place: tuple[bool, int, str, str, int]
    encoded: bytes


@dataclass(frozen=True, slots=True)
class _Way:
    """Some of a route's requests, by their headers: the clusters they go to, the failures after which they
    are repeated, and where copies of them go."""

    headers: tuple[HeaderMatcher, ...]
    clusters: tuple[tuple[str, int], ...]
    conditions: str
    copies: tuple[RouteAction.RequestMirrorPolicy, ...] = ()


def encoded_routes(traffic: ServiceTraffic, target: Target) -> tuple[EncodedRoute, ...]:
    """A service's routes towards a target, the most specific first."""
    return tuple(in_order(_encoded_routes(traffic.service, target)))


def in_order(routes: Iterable[EncodedRoute]) -> list[EncodedRoute]:
    """The most specific first: an exact path before a prefix, a longer one before a shorter one."""
    return sorted(routes, key=attrgetter("place"))


def _encoded_routes(service: Service, target: Target) -> Iterator[EncodedRoute]:
    for route in service.routes:
        for rank, way in enumerate(_ways(service, route, target)):
            made = EnvoyRoute(match=_match(route, way))
            if way.clusters:
                made.route.CopyFrom(_action(service, route, way))
            else:
                body = DataSource(inline_string=target.unavailable)
                made.direct_response.CopyFrom(DirectResponseAction(status=503, body=body))
            place = (not route.exact, -len(route.path), route.path, service.name, rank)
            yield EncodedRoute(place, made.SerializeToString(deterministic=True))


def _ways(service: Service, route: Route, target: Target) -> Iterator[_Way]:
    """What becomes of a route's requests; the first way whose headers match is taken."""
    by_weight = tuple(_by_weight(service, route, target))
    if target.manual and service.manual_routing is not None:
        chosen, everything = _chosen(service.manual_routing), ((target.manual, TOTAL_WEIGHT),)
        for way in by_weight:
            yield replace(way, headers=(chosen, *way.headers), clusters=everything)
    # A WebSocket is no request that could be copied.
    if target.mirror and service.mirror is not None and not route.websocket:
        copies = (mirror_policy(service.mirror, target.mirror),)
        yield replace(by_weight[0], headers=(SAFE_METHODS, NOT_LARGE), copies=copies)
        if service.mirror.methods is MirroredMethods.ALL:
            yield replace(by_weight[-1], headers=(SMALL,), copies=copies)
    yield from by_weight


def _by_weight(service: Service, route: Route, target: Target) -> Iterator[_Way]:
    """A request cut short is repeated only where a copy does no harm. That takes a route of its own:
    `retriable_request_headers` would deny every retry to the other methods (Envoy's RetryPolicy). A gRPC
    request is always a POST.
    """
    grpc = service.upstream.protocol is Protocol.GRPC
    if route.retries.reset and route.retries.attempts > 0 and not grpc:
        yield _Way((SAFE_METHODS,), target.clusters, CUT_SHORT)
    yield _Way((), target.clusters, UNTOUCHED)


def _chosen(manual: ManualRouting) -> HeaderMatcher:
    return HeaderMatcher(name=manual.header, string_match=StringMatcher(exact=manual.value.value))


def _match(route: Route, way: _Way) -> RouteMatch:
    if route.exact:
        return RouteMatch(path=route.path, headers=way.headers)
    if route.path.endswith("/"):
        return RouteMatch(prefix=route.path, headers=way.headers)
    # Below /api are /api and /api/v1, but not /apiary.
    return RouteMatch(path_separated_prefix=route.path, headers=way.headers)


def _action(service: Service, route: Route, way: _Way) -> RouteAction:
    return RouteAction(
        weighted_clusters=_weighted_clusters(service, way),
        hash_policy=hash_policies(service.affinity),
        request_mirror_policies=way.copies,
        timeout=duration(route.timeout),
        idle_timeout=duration(route.idle_timeout),
        retry_policy=retry_policy(route.retries.attempts, way.conditions),
        upgrade_configs=[WEBSOCKET] if route.websocket else [],
    )


def _weighted_clusters(service: Service, way: _Way) -> WeightedCluster:
    made = WeightedCluster(
        clusters=[
            WeightedCluster.ClusterWeight(name=name, weight=UInt32Value(value=weight))
            for name, weight in way.clusters
        ]
    )
    if service.affinity is not None:
        made.use_hash_policy.value = True
    return made
