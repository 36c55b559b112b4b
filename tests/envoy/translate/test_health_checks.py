from __future__ import annotations

import pytest
from envoy.type.v3.http_pb2 import CodecClientType

from bluegreen.model.service import HealthCheck, HealthCheckType, Protocol, Upstream
from bluegreen.switches.envoy.translate.health_checks import health_check_host, health_checks
from tests.envoy.translate.samples import backend, service

WANTED = HealthCheck("/ready", interval=0.5, timeout=0.2, healthy_threshold=2, unhealthy_threshold=4)


def test_none_is_wanted() -> None:
    assert health_checks(service(), backend(of=service(health_check=None))) == []


def test_by_default_an_instance_has_to_take_a_connection() -> None:
    (made,) = health_checks(service(), backend(of=service()))
    assert made.WhichOneof("health_checker") == "tcp_health_check"


@pytest.mark.parametrize(
    ("protocol", "codec"), [(Protocol.HTTP1, CodecClientType.HTTP1), (Protocol.HTTP2, CodecClientType.HTTP2)]
)
def test_the_path_is_asked_in_the_services_protocol(protocol: Protocol, codec: int) -> None:
    (made,) = health_checks(
        service(), backend(of=service(health_check=WANTED, upstream=Upstream(protocol=protocol)))
    )
    assert made.http_health_check.path == "/ready"
    assert made.http_health_check.codec_client_type == codec
    assert (made.healthy_threshold.value, made.unhealthy_threshold.value) == (2, 4)
    assert made.timeout.ToMilliseconds() == 200


def test_a_grpc_service_is_asked_by_its_own_protocol() -> None:
    wanted = HealthCheck(type=HealthCheckType.GRPC)
    (made,) = health_checks(
        service(), backend(of=service(health_check=wanted, upstream=Upstream(protocol=Protocol.GRPC)))
    )
    assert made.WhichOneof("health_checker") == "grpc_health_check"


def test_a_candidate_without_traffic_is_asked_as_often_as_one_with_it() -> None:
    (made,) = health_checks(service(), backend(of=service(health_check=WANTED)))
    rhythm = (made.interval, made.no_traffic_interval, made.no_traffic_healthy_interval)
    assert [each.ToMilliseconds() for each in rhythm] == [500, 500, 500]


@pytest.mark.parametrize(
    ("domains", "host"),
    [
        (("*.example.com", "shop.example.com"), "shop.example.com"),
        (("*",), "shop"),
        (("shop.*", "*.shop.com"), "shop"),
    ],
)
def test_the_host_is_one_that_the_service_answers_to(domains: tuple[str, ...], host: str) -> None:
    assert health_check_host(service(domains=domains)) == host
