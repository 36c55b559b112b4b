from __future__ import annotations

from collections.abc import Sequence

import pytest
from envoy.config.route.v3.route_components_pb2 import VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.model.service import Route, Service
from bluegreen.model.traffic import ServiceTraffic
from bluegreen.switches.envoy.translate import route_tables
from bluegreen.switches.envoy.translate.route_tables import RouteTable
from tests.envoy.translate.samples import service, traffic

SHOP = service("shop", domains=("example.com", "shop.example.com"))
API = service(
    "api", domains=("Example.com", "api.example.com"), routes=(Route("/api"), Route("/", exact=True))
)
BLOG = service("blog", domains=("*.blog.com", "blog.com"))


def table_of(*services: Service) -> RouteTable:
    table = RouteTable.production("edge")
    for each in services:
        table.put(traffic(each))
    return table


def decoded(table: RouteTable) -> RouteConfiguration:
    return RouteConfiguration.FromString(table.encode())


def paths(host: VirtualHost) -> list[str]:
    return [each.match.path or each.match.prefix or each.match.path_separated_prefix for each in host.routes]


def test_what_is_joined_is_what_the_library_would_have_encoded() -> None:
    table = table_of(SHOP, API, BLOG)
    assert decoded(table).SerializeToString(deterministic=True) == table.encode()


def test_the_table_and_its_twin_are_named_for_the_gateway() -> None:
    assert (
        decoded(RouteTable.production("edge")).name == RouteTable.production("edge").name == "bluegreen/edge"
    )
    assert RouteTable.preview("edge").name == "bluegreen/edge/preview"


def test_hosts_are_compared_without_their_port() -> None:
    assert decoded(table_of(SHOP)).ignore_port_in_host_matching


def test_services_that_share_a_domain_share_its_virtual_host() -> None:
    hosts = {tuple(host.domains): paths(host) for host in decoded(table_of(SHOP, API, BLOG)).virtual_hosts}
    assert hosts == {
        ("*.blog.com", "blog.com"): ["/", "/"],
        ("api.example.com",): ["/", "/", "/api", "/api"],
        ("example.com",): ["/", "/", "/api", "/api", "/", "/"],
        ("shop.example.com",): ["/", "/"],
    }


def test_no_domain_and_no_name_stands_twice() -> None:
    hosts = decoded(table_of(SHOP, API, BLOG)).virtual_hosts
    domains = [domain for host in hosts for domain in host.domains]
    assert len(domains) == len(set(domains))
    assert len({host.name for host in hosts}) == len(hosts)


def test_a_change_of_one_service_encodes_only_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(SHOP, API, BLOG)
    table.encode()
    encoded: list[tuple[str, ...]] = []
    original = route_tables.encoded_virtual_host

    def recording(group: route_tables.DomainGroup, routes: Sequence[route_tables.EncodedRoute]) -> bytes:
        encoded.append(group.domains)
        return original(group, routes)

    monkeypatch.setattr(route_tables, "encoded_virtual_host", recording)
    table.put(traffic(SHOP, green_weight=10))
    table.encode()
    assert encoded == [("example.com",), ("shop.example.com",)]

    encoded.clear()
    table.put(traffic(service("new")))
    table.encode()
    assert encoded == [("new.example.com",)]


def test_saying_the_same_again_changes_nothing() -> None:
    table = table_of(SHOP, API)
    before = table.encode()
    table.put(traffic(SHOP))
    table.remove("nobody")
    assert table.encode() is before


def test_a_service_that_is_removed_leaves_nothing_behind() -> None:
    table = table_of(SHOP, API)
    table.encode()
    table.remove("api")
    assert table.encode() == table_of(SHOP).encode()


def test_the_twin_routes_to_the_previewed_revision_only() -> None:
    table = RouteTable.preview("edge")
    table.put(traffic(SHOP))
    names = {
        each.name
        for host in decoded(table).virtual_hosts
        for route in host.routes
        for each in route.route.weighted_clusters.clusters
    }
    assert names == {"bluegreen/shop/2/preview"}


def test_weights_that_do_not_add_up_leave_the_table_as_it_was() -> None:
    table = table_of(SHOP)
    before = table.encode()
    with pytest.raises(ValueError, match="add up"):
        table.put(ServiceTraffic(SHOP, traffic(SHOP, green_weight=10).backends[1:]))
    assert table.encode() is before


SERVICES = st.builds(
    service,
    st.sampled_from(["a", "b", "c"]),
    domains=st.lists(st.sampled_from(["x.com", "y.com", "*.x.com", "*"]), min_size=1, unique=True).map(tuple),
    routes=st.lists(st.sampled_from(["/", "/p", "/p/q"]), min_size=1, unique=True).map(
        lambda wanted: tuple(Route(path) for path in wanted)
    ),
)
STATES = st.builds(traffic, SERVICES, st.sampled_from([0, 50, 100]))


@given(st.lists(st.one_of(STATES, st.sampled_from(["a", "b", "c"]))))
def test_whatever_led_to_it_equal_content_gives_equal_bytes(steps: list[ServiceTraffic | str]) -> None:
    table = RouteTable.production("edge")
    state: dict[str, ServiceTraffic] = {}
    for step in steps:
        if isinstance(step, str):
            table.remove(step)
            state.pop(step, None)
        else:
            table.put(step)
            state[step.service.name] = step
        fresh = RouteTable.production("edge")
        for name in sorted(state, reverse=True):
            fresh.put(state[name])
        assert table.encode() == fresh.encode()
