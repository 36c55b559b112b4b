from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from envoy.config.route.v3.route_components_pb2 import Route as EnvoyRoute
from envoy.type.v3.percent_pb2 import FractionalPercent
from google.protobuf.json_format import MessageToDict

from bluegreen.model.service import Protocol, Retries, Route, Service, Upstream
from bluegreen.model.steering import Affinity, AffinitySource, Mirror, MirroredMethods
from bluegreen.model.traffic import ServiceTraffic
from bluegreen.switches.envoy.translate.clusters import clusters
from bluegreen.switches.envoy.translate.route_tables import RouteTable
from bluegreen.switches.envoy.translate.routes import encoded_routes
from bluegreen.switches.envoy.translate.targets import preview_target, production_target
from tests.envoy.translate.samples import MANUAL, backend, service, traffic


def routes(of: ServiceTraffic) -> list[EnvoyRoute]:
    return [EnvoyRoute.FromString(each.encoded) for each in encoded_routes(of, production_target(of))]


def only(route: Route, **changes: object) -> list[EnvoyRoute]:
    return routes(traffic(service(routes=(route,), **changes)))


def last(route: Route) -> EnvoyRoute:
    """The route that takes all methods."""
    return only(route)[-1]


@pytest.mark.parametrize("green", [0, 1, 50, 99, 100])
def test_the_total_and_the_order_stay_the_same_whatever_the_weights(green: int) -> None:
    target = production_target(traffic(service(), green_weight=green))
    assert target.clusters == (("bluegreen/shop/1", 100 - green), ("bluegreen/shop/2", green))


def test_the_order_is_blue_green_then_the_revision_and_not_that_of_the_backends() -> None:
    backends = (backend(4), backend(2, weight=100), backend(3), backend(1))
    target = production_target(ServiceTraffic(service(), backends))
    assert [name[-1] for name, _ in target.clusters] == ["1", "3", "2", "4"]


def test_a_backend_that_is_not_routed_is_not_named() -> None:
    target = production_target(
        ServiceTraffic(service(), (backend(1, weight=100), backend(2, routed=False)), preview=2)
    )
    assert target.clusters == (("bluegreen/shop/1", 100),)


def test_weights_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="weights of shop add up to 90"):
        production_target(ServiceTraffic(service(), (backend(1, weight=60), backend(2, weight=30))))


@pytest.mark.parametrize("backends", [(), (backend(1), backend(2))])
def test_without_an_active_version_a_service_claims_nothing(backends: tuple[object, ...]) -> None:
    table = RouteTable.production("edge")
    empty = table.encode()
    table.put(traffic(service()))
    table.put(replace(traffic(service()), backends=backends))
    assert table.encode() == empty
    assert table.clusters == frozenset()


def test_the_preview_goes_whole_to_the_twin() -> None:
    assert preview_target(traffic(service())).clusters == (("bluegreen/shop/2/preview", 100),)


@pytest.mark.parametrize(
    ("backends", "preview"),
    [((backend(1), backend(2)), None), ((backend(2, routed=False),), 2), ((backend(1),), 2)],
)
def test_nothing_to_preview(backends: tuple[object, ...], preview: int | None) -> None:
    target = preview_target(replace(traffic(service()), backends=backends, preview=preview))
    assert target.clusters == ()
    assert target.unavailable == "shop has no version to preview.\n"


def test_exact_comes_before_prefix_and_longer_before_shorter() -> None:
    paths = (Route("/"), Route("/a"), Route("/a/b/c"), Route("/a/b", exact=True), Route("/a", exact=True))
    made = routes(traffic(service(routes=paths)))
    matched = [each.match.path or each.match.prefix or each.match.path_separated_prefix for each in made]
    assert matched == [each for path in ("/a/b", "/a", "/a/b/c", "/a", "/") for each in (path, path)]
    assert [each.match.WhichOneof("path_specifier") for each in made[::2]] == [
        "path",
        "path",
        "path_separated_prefix",
        "path_separated_prefix",
        "prefix",
    ]


def test_a_request_cut_short_is_repeated_only_where_a_copy_does_no_harm() -> None:
    safe, other = only(Route("/"))
    assert safe.match.headers[0].string_match.safe_regex.regex == "GET|HEAD|OPTIONS"
    assert not other.match.headers
    assert safe.route.retry_policy.retry_on.split(",")[-1] == "reset"
    assert "reset" not in other.route.retry_policy.retry_on.split(",")
    assert safe.route.weighted_clusters == other.route.weighted_clusters


def test_retries_go_elsewhere_and_soon() -> None:
    policy = last(Route(retries=Retries(attempts=2))).route.retry_policy
    assert policy.num_retries.value == 2
    assert policy.retry_host_predicate[0].name == "envoy.retry_host_predicates.previous_hosts"
    assert policy.host_selection_retry_max_attempts == 20
    assert policy.retry_back_off.base_interval.ToMilliseconds() == 25


def test_one_route_does_where_nothing_cut_short_is_repeated() -> None:
    assert len(only(Route(retries=Retries(reset=False)))) == 1
    assert len(only(Route(), upstream=Upstream(protocol=Protocol.GRPC))) == 1


def test_no_attempts_no_policy() -> None:
    (made,) = only(Route(retries=Retries(attempts=0)))
    assert not made.route.HasField("retry_policy")


def test_times_and_websockets() -> None:
    made = last(Route(timeout=2.5, idle_timeout=60, websocket=True)).route
    assert (made.timeout.ToMilliseconds(), made.idle_timeout.ToMilliseconds()) == (2500, 60_000)
    assert made.upgrade_configs[0].upgrade_type == "websocket"
    assert not last(Route()).route.upgrade_configs


def test_zero_is_no_timeout_rather_than_envoys_default() -> None:
    made = last(Route(timeout=0, idle_timeout=0)).route
    assert made.HasField("timeout")
    assert made.HasField("idle_timeout")
    assert made.timeout.ToNanoseconds() == made.idle_timeout.ToNanoseconds() == 0


def test_equal_content_equal_bytes() -> None:
    def encoded(of: Service) -> list[bytes]:
        return [each.encoded for each in encoded_routes(traffic(of), production_target(traffic(of)))]

    paths = (Route("/a"), Route("/b"))
    assert encoded(service(routes=paths)) == encoded(service(routes=paths[::-1]))


@pytest.mark.parametrize(
    ("affinity", "policy"),
    [
        (Affinity(AffinitySource.HEADER, "x-user"), {"header": {"headerName": "x-user"}}),
        (Affinity(AffinitySource.COOKIE, "session"), {"cookie": {"name": "session"}}),
    ],
)
def test_with_affinity_the_user_decides_and_not_chance(affinity: Affinity, policy: dict[str, object]) -> None:
    for each in only(Route(), affinity=affinity):
        assert [MessageToDict(one) for one in each.route.hash_policy] == [policy]
        assert each.route.weighted_clusters.use_hash_policy.value


def test_without_affinity_nothing_is_hashed() -> None:
    for each in only(Route()):
        assert not each.route.hash_policy
        assert not each.route.weighted_clusters.HasField("use_hash_policy")


def test_chosen_requests_come_first_on_every_route_and_go_whole_to_the_twin() -> None:
    paths = (Route("/"), Route("/a"), Route("/b", retries=Retries(reset=False)))
    made = routes(traffic(service(routes=paths, manual_routing=MANUAL), green_weight=10))
    ways = [
        (
            each.match.prefix or each.match.path_separated_prefix,
            [header.name for header in each.match.headers],
            [(one.name[10:], one.weight.value) for one in each.route.weighted_clusters.clusters],
        )
        for each in made
    ]
    by_weight, chosen = [("shop/1", 90), ("shop/2", 10)], [("shop/2/manual", 100)]
    assert ways == [
        ("/a", ["x-candidate", ":method"], chosen),
        ("/a", ["x-candidate"], chosen),
        ("/a", [":method"], by_weight),
        ("/a", [], by_weight),
        ("/b", ["x-candidate"], chosen),
        ("/b", [], by_weight),
        ("/", ["x-candidate", ":method"], chosen),
        ("/", ["x-candidate"], chosen),
        ("/", [":method"], by_weight),
        ("/", [], by_weight),
    ]
    assert made[0].match.headers[0].string_match.exact == MANUAL.value.value


@pytest.mark.parametrize(
    "changes",
    [
        {"candidate": None},
        {"candidate": 1},  # it has all traffic
        {"candidate": 3},
        {"backends": (backend(1, weight=100), backend(2, routed=False))},
        {"backends": (backend(1), backend(2))},  # nothing is active: the service claims nothing
        {"service": service()},
    ],
)
def test_nobody_is_chosen(changes: dict[str, Any]) -> None:
    wanted = replace(traffic(service(manual_routing=MANUAL)), **changes)
    assert production_target(wanted).manual == ""
    assert not any("x-candidate" in str(each) for each in routes(wanted))


def test_the_preview_knows_no_chosen_requests() -> None:
    wanted = traffic(service(manual_routing=MANUAL))
    assert preview_target(wanted).manual == ""


def test_a_table_tells_of_every_cluster_that_it_names() -> None:
    table = RouteTable.production("edge")
    table.put(traffic(service(manual_routing=MANUAL)))
    assert table.clusters == {"bluegreen/shop/1", "bluegreen/shop/2", "bluegreen/shop/2/manual"}
    assert table.clusters <= {each.name for each in clusters(traffic(service(manual_routing=MANUAL)))}


SAFE = [":method"]


@pytest.mark.parametrize(
    ("mirror", "route", "ways"),
    [
        (Mirror(5), Route(), [([*SAFE, "content-length"], True), (SAFE, False), ([], False)]),
        (
            Mirror(5, MirroredMethods.ALL),
            Route(),
            [([*SAFE, "content-length"], True), (["content-length"], True), (SAFE, False), ([], False)],
        ),
        (Mirror(5), Route(retries=Retries(0)), [([*SAFE, "content-length"], True), ([], False)]),
        (Mirror(5, MirroredMethods.ALL), Route(websocket=True), [(SAFE, False), ([], False)]),
        (None, Route(), [(SAFE, False), ([], False)]),
    ],
)
def test_which_requests_are_copied(
    mirror: Mirror | None, route: Route, ways: list[tuple[list[str], bool]]
) -> None:
    made = only(route, mirror=mirror)
    assert [
        ([header.name for header in each.match.headers], bool(each.route.request_mirror_policies))
        for each in made
    ] == ways
    plain = only(route)
    assert made[-1] == plain[-1]
    assert made[0].route.weighted_clusters == plain[0].route.weighted_clusters
    assert made[0].route.retry_policy == plain[0].route.retry_policy


def test_a_share_is_copied_to_the_twin_under_the_same_host() -> None:
    (policy,) = only(Route(), mirror=Mirror(0.07))[0].route.request_mirror_policies
    assert policy.cluster == "bluegreen/shop/2/mirror"
    fraction = policy.runtime_fraction.default_value
    assert (fraction.numerator, fraction.denominator) == (700, FractionalPercent.MILLION)
    assert policy.disable_shadow_host_suffix_append


@pytest.mark.parametrize(
    ("candidate", "weight", "mirror"),
    [(2, 0, True), (2, 99, True), (2, 100, False), (None, 0, False), (1, 0, False)],
)
def test_copies_go_to_a_candidate_that_has_not_all_traffic(
    candidate: int | None, weight: int, *, mirror: bool
) -> None:
    wanted = replace(traffic(service(mirror=Mirror(5)), green_weight=weight), candidate=candidate)
    target = production_target(wanted)
    assert target.mirror == ("bluegreen/shop/2/mirror" if mirror else "")
    assert target.named <= {each.name for each in clusters(wanted)}


def test_chosen_requests_are_not_copied() -> None:
    made = only(Route(), mirror=Mirror(5), manual_routing=MANUAL)
    assert [each.match.headers[0].name for each in made[:2]] == ["x-candidate"] * 2
    assert not any(each.route.request_mirror_policies for each in made[:2])
