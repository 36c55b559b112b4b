from __future__ import annotations

import pytest

from bluegreen.model.catalogue import Catalogue
from bluegreen.model.conflicts import conflicts
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.gateway import Gateway
from bluegreen.model.service import Route, Service


def gateway(name: str, listen: str = "0.0.0.0:8080", preview: str = "127.0.0.1:8081") -> Gateway:
    return Gateway(name, Endpoint.parse(listen), Endpoint.parse(preview))


def service(
    name: str, *routes: Route, gateways: tuple[str, ...] = ("edge",), domains: tuple[str, ...] = ("a.com",)
) -> Service:
    return Service(name, gateways, domains, routes or (Route(),))


def faults(*parts: Gateway | Service) -> list[tuple[str, str]]:
    gateways = [part for part in parts if isinstance(part, Gateway)] or [gateway("edge"), gateway("inner")]
    services = [part for part in parts if isinstance(part, Service)]
    catalogue = Catalogue({each.name: each for each in gateways}, {each.name: each for each in services})
    return [(fault.path, fault.message) for fault in conflicts(catalogue)]


def test_nothing_to_say_of_a_catalogue_that_can_be_served() -> None:
    assert faults() == []
    assert faults(service("api", Route("/api"), Route("/", exact=True)), service("shop")) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Route("/api"), Route("/api", timeout=1)),
        (Route("/api"), Route("/api/")),
        (Route("/x", exact=True), Route("/x", exact=True)),
    ],
)
def test_two_services_that_claim_the_same_requests_are_both_named(one: Route, other: Route) -> None:
    assert faults(service("shop", Route("/s"), other), service("api", one)) == [
        ("services.shop.routes[1]", f"'shop' and 'api' both claim {other} of a.com on gateway edge.")
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Route("/api"), Route("/api", exact=True)),
        (Route("/api"), Route("/api/v1")),
        (Route("/x/", exact=True), Route("/x", exact=True)),
    ],
)
def test_the_more_specific_one_takes_its_share(one: Route, other: Route) -> None:
    assert faults(service("shop", one), service("api", other)) == []


def test_a_domain_is_the_same_in_capitals() -> None:
    (found,) = faults(service("one", domains=("A.com",)), service("two", domains=("b.com", "a.COM")))
    assert found[0] == "services.two.routes[0]"


def test_other_gateways_and_other_domains_do_not_collide() -> None:
    assert faults(service("one"), service("two", gateways=("inner",))) == []
    assert faults(service("one"), service("two", domains=("b.com",))) == []
    assert faults(service("one", domains=("*.a.com",)), service("two", domains=("x.a.com",))) == []


def test_a_route_is_reported_once_for_each_holder() -> None:
    everywhere = ("edge", "inner")
    found = faults(
        *(service(name, gateways=everywhere, domains=("a.com", "b.com")) for name in ("one", "two", "three"))
    )
    assert [path for path, _ in found] == ["services.three.routes[0]", "services.two.routes[0]"]


def test_a_gateway_that_is_not_there() -> None:
    assert faults(service("shop", gateways=("edge", "egde"))) == [
        ("services.shop.gateways[1]", "There is no gateway 'egde'. Known: edge, inner.")
    ]


def test_saying_something_twice() -> None:
    twice = service("shop", Route("/a"), Route("/a/"), gateways=("edge", "edge"), domains=("a.com", "A.com"))
    assert [path for path, _ in faults(twice)] == [
        "services.shop.gateways[1]",
        "services.shop.domains[1]",
        "services.shop.routes[1]",
    ]


@pytest.mark.parametrize(
    ("listen", "preview"),
    [
        ("127.0.0.1:1", "127.0.0.1:1"),
        ("0.0.0.0:1", "127.0.0.1:1"),
        ("127.0.0.1:1", "0.0.0.0:1"),
        ("[::]:1", "[::1]:1"),
    ],
)
def test_two_listeners_of_a_gateway_on_one_port(listen: str, preview: str) -> None:
    assert faults(gateway("edge", listen, preview)) == [
        ("gateways.edge.preview", f"{preview} is taken by this gateway's production listener, {listen}.")
    ]


def test_two_addresses_on_one_port_and_two_gateways_on_one_address_are_fine() -> None:
    assert (
        faults(gateway("edge", "10.0.0.1:1", "127.0.0.1:1"), gateway("inner", "10.0.0.1:1", "127.0.0.1:1"))
        == []
    )


def test_a_listener_needs_an_ip_address() -> None:
    (found,) = faults(gateway("edge", "localhost:8080"))
    assert found[0] == "gateways.edge.listen"


def test_a_fault_leads_to_its_place_in_the_file() -> None:
    catalogue = Catalogue({}, {"shop": service("shop")})
    assert conflicts(catalogue)[0].where == ("services", "shop", "gateways", 0)
