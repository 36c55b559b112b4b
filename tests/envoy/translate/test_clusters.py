from __future__ import annotations

from dataclasses import replace

import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.config_source_pb2 import ApiVersion
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions

from bluegreen.model.service import HealthCheck, Protocol, Upstream
from bluegreen.model.steering import Mirror
from bluegreen.switches.envoy.names import Twin
from bluegreen.switches.envoy.translate.clusters import (
    MAX_COPIES,
    PROTOCOL_OPTIONS,
    cluster,
    clusters,
    twin_cluster,
)
from bluegreen.switches.envoy.translate.mirrors import LARGEST_COPY
from tests.envoy.translate.samples import MANUAL, backend, service, traffic


def protocol_options(of: Cluster) -> HttpProtocolOptions:
    options = HttpProtocolOptions()
    assert of.typed_extension_protocol_options[PROTOCOL_OPTIONS].Unpack(options)
    return options


def test_every_backend_has_a_cluster_and_the_previewed_one_a_twin() -> None:
    made = clusters(traffic(service()))
    assert [each.name for each in made] == [
        "bluegreen/shop/1",
        "bluegreen/shop/2",
        "bluegreen/shop/2/preview",
    ]


def test_with_manual_routing_every_backend_has_a_twin_whatever_the_weights() -> None:
    manual = service(manual_routing=MANUAL)
    wanted = traffic(manual)
    later = replace(traffic(manual, green_weight=100), preview=1, candidate=None)
    for each in (wanted, later):
        names = {made.name for made in clusters(each)}
        assert {"bluegreen/shop/1/manual", "bluegreen/shop/2/manual"} <= names


def test_only_the_candidate_has_a_twin_for_copies() -> None:
    wanted = traffic(service(mirror=Mirror(5)))
    twins = {each.name for each in clusters(wanted) if each.name.endswith("/mirror")}
    assert twins == {"bluegreen/shop/2/mirror"}
    assert not any(each.name.endswith("/mirror") for each in clusters(replace(wanted, candidate=None)))


def test_copies_are_few_and_never_share_a_connection() -> None:
    of = backend(2, of=service(upstream=Upstream(protocol=Protocol.HTTP2, max_requests=7)))
    twin = twin_cluster(service(), of, Twin.MIRROR)
    limits = twin.circuit_breakers.thresholds[0]
    assert (limits.max_connections.value, limits.max_requests.value) == (MAX_COPIES, 7)
    http2 = protocol_options(twin).explicit_http_config.http2_protocol_options
    assert http2.max_concurrent_streams.value == 1
    assert (
        min(twin.per_connection_buffer_limit_bytes.value, http2.initial_stream_window_size.value)
        > LARGEST_COPY
    )


def test_a_backend_that_is_not_routed_yet_is_made_known_all_the_same() -> None:
    wanted = replace(traffic(service()), backends=(backend(2, routed=False),))
    assert [each.name for each in clusters(wanted)] == ["bluegreen/shop/2", "bluegreen/shop/2/preview"]


def test_endpoints_come_over_ads_under_the_revisions_name() -> None:
    for made in (
        cluster(service(), backend(3)),
        *(twin_cluster(service(), backend(3), twin) for twin in Twin),
    ):
        assert made.type == Cluster.EDS
        assert made.eds_cluster_config.service_name == "bluegreen/shop/3"
        assert made.eds_cluster_config.eds_config.HasField("ads")
        assert made.eds_cluster_config.eds_config.resource_api_version == ApiVersion.V3
        assert not made.HasField("load_assignment")


def test_an_endpoint_with_a_host_name_is_resolved_by_the_proxy() -> None:
    made = cluster(service(), backend(1, "shop-blue:8080", "10.0.0.1:8080"))
    assert made.type == Cluster.STRICT_DNS
    assert made.load_assignment.cluster_name == made.name
    hosts = [
        each.endpoint.address.socket_address.address
        for each in made.load_assignment.endpoints[0].lb_endpoints
    ]
    assert hosts == ["10.0.0.1", "shop-blue"]


def test_ten_thousand_requests_trip_no_circuit_breaker() -> None:
    limits = cluster(service(), backend()).circuit_breakers.thresholds[0]
    assert (
        min(limits.max_connections.value, limits.max_requests.value, limits.max_pending_requests.value)
        > 10_000
    )
    assert limits.max_retries.value == 1000


def test_the_limits_are_the_services() -> None:
    upstream = Upstream(
        connect_timeout=0.25, idle_timeout=4.5, max_connections=5, max_requests=7, panic_threshold=0
    )
    made = cluster(service(), backend(of=service(upstream=upstream)))
    limits = made.circuit_breakers.thresholds[0]
    assert made.connect_timeout.ToTimedelta().total_seconds() == 0.25
    assert protocol_options(made).common_http_protocol_options.idle_timeout.ToMilliseconds() == 4500
    assert (limits.max_connections.value, limits.max_requests.value) == (5, 7)
    assert made.common_lb_config.HasField("healthy_panic_threshold")
    assert made.common_lb_config.healthy_panic_threshold.value == 0
    assert made.common_lb_config.update_merge_window.ToMilliseconds() == 20


@pytest.mark.parametrize(
    ("protocol", "spoken"),
    [
        (Protocol.HTTP1, "http_protocol_options"),
        (Protocol.HTTP2, "http2_protocol_options"),
        (Protocol.GRPC, "http2_protocol_options"),
    ],
)
def test_the_instances_are_spoken_to_in_their_protocol(protocol: Protocol, spoken: str) -> None:
    made = cluster(service(), backend(of=service(upstream=Upstream(protocol=protocol))))
    assert protocol_options(made).explicit_http_config.WhichOneof("protocol_config") == spoken


def test_a_removed_instance_is_no_member_any_more() -> None:
    assert cluster(service(), backend()).ignore_health_on_host_removal


def test_only_the_revisions_own_cluster_checks_health() -> None:
    checked = service(health_check=HealthCheck())
    assert len(cluster(checked, backend(of=checked)).health_checks) == 1
    assert not twin_cluster(checked, backend(of=checked), Twin.PREVIEW).health_checks
    assert not cluster(service(), backend(of=service(health_check=None))).health_checks


def test_apart_from_name_and_health_check_the_twin_is_the_same() -> None:
    checked = service(health_check=HealthCheck())
    of = backend(of=checked)
    twin, own = twin_cluster(checked, of, Twin.PREVIEW), cluster(checked, of)
    own.name = twin.name
    own.ClearField("health_checks")
    assert twin == own


def test_a_cluster_does_not_change_with_the_weights() -> None:
    before, after = (clusters(traffic(service(), green_weight=weight)) for weight in (0, 50))
    assert [each.SerializeToString() for each in before] == [each.SerializeToString() for each in after]
