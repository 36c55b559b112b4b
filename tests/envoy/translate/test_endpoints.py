from __future__ import annotations

from dataclasses import replace

import pytest
from envoy.config.core.v3.health_check_pb2 import DRAINING, HEALTHY, UNHEALTHY, UNKNOWN, HealthStatus

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.service import BY_PROVISIONER, CONNECT, HealthCheck
from bluegreen.model.traffic import Backend, ServiceTraffic
from bluegreen.switches.envoy.translate.endpoints import load_assignments, needs_dns
from tests.envoy.translate.samples import BLUE, backend, service, traffic


def test_each_backend_has_its_endpoints_under_its_clusters_name() -> None:
    made = load_assignments(traffic(service()))
    assert [each.cluster_name for each in made] == ["bluegreen/shop/1", "bluegreen/shop/2"]


def test_the_locality_has_a_weight_and_the_environment_for_its_zone() -> None:
    (made,) = load_assignments(ServiceTraffic(service(), (backend(2),)))
    (locality,) = made.endpoints
    assert locality.load_balancing_weight.value == 1
    assert locality.locality.zone == "green"


def test_the_order_in_which_endpoints_are_given_makes_no_difference() -> None:
    one = load_assignments(ServiceTraffic(service(), (backend(1, "10.0.0.2:1", "10.0.0.1:1", "10.0.0.1:1"),)))
    two = load_assignments(ServiceTraffic(service(), (backend(1, "10.0.0.1:1", "10.0.0.2:1"),)))
    assert one[0].SerializeToString() == two[0].SerializeToString()
    assert len(two[0].endpoints[0].lb_endpoints) == 2


def test_an_ipv6_address_stands_without_brackets() -> None:
    (made,) = load_assignments(ServiceTraffic(service(), (backend(1, "[::1]:8080"),)))
    address = made.endpoints[0].lb_endpoints[0].endpoint.address.socket_address
    assert (address.address, address.port_value) == ("::1", 8080)


def test_a_backend_with_host_names_has_no_endpoint_resource() -> None:
    assert load_assignments(ServiceTraffic(service(), (backend(1, "localhost:8080"),))) == ()


@pytest.mark.parametrize(("health_check", "by_default"), [(CONNECT, UNKNOWN), (BY_PROVISIONER, HEALTHY)])
def test_what_the_provisioner_says_stands_with_the_endpoint(
    health_check: HealthCheck, by_default: HealthStatus
) -> None:
    well, sick, going = (Endpoint("10.0.0.1", port) for port in (1, 2, 3))
    told = Backend(1, BLUE, (well, sick, going), routed=True, draining=(going,), unhealthy=(sick,))
    (made,) = load_assignments(ServiceTraffic(service(), (replace(told, health_check=health_check),)))
    statuses = [each.health_status for each in made.endpoints[0].lb_endpoints]
    assert statuses == [by_default, UNHEALTHY, DRAINING]


@pytest.mark.parametrize(
    ("address", "expected"), [("10.0.0.1:1", False), ("[::1]:1", False), ("shop-blue:1", True)]
)
def test_only_a_name_needs_dns(address: str, expected: bool) -> None:
    assert needs_dns(backend(1, address)) is expected


def test_a_backend_without_instances_has_an_empty_resource() -> None:
    (made,) = load_assignments(ServiceTraffic(service(), (Backend(1, BLUE, (), routed=False),)))
    assert not made.endpoints[0].lb_endpoints
