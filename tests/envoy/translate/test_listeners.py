from __future__ import annotations

from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.extensions.filters.http.grpc_stats.v3.config_pb2 import FilterConfig
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.gateway import Gateway
from bluegreen.switches.envoy.translate.listeners import listeners

EDGE = Gateway("edge", Endpoint("10.0.0.1", 8080), Endpoint("127.0.0.1", 8081))


def manager(listener: Listener) -> HttpConnectionManager:
    made = HttpConnectionManager()
    assert listener.filter_chains[0].filters[0].typed_config.Unpack(made)
    return made


def test_production_and_preview_have_addresses_of_their_own() -> None:
    addresses = [each.address.socket_address for each in listeners(EDGE)]
    assert [(each.address, each.port_value) for each in addresses] == [
        ("10.0.0.1", 8080),
        ("127.0.0.1", 8081),
    ]


def test_listener_routes_and_statistics_have_one_name() -> None:
    for listener, name in zip(listeners(EDGE), ["bluegreen/edge", "bluegreen/edge/preview"], strict=True):
        made = manager(listener)
        assert {listener.name, listener.stat_prefix, made.stat_prefix, made.rds.route_config_name} == {name}
        assert made.rds.config_source.HasField("ads")


def test_websockets_are_known_but_off_until_a_route_allows_them() -> None:
    (upgrade,) = manager(listeners(EDGE)[0]).upgrade_configs
    assert (upgrade.upgrade_type, upgrade.enabled.value) == ("websocket", False)
    assert upgrade.HasField("enabled")


def test_grpc_statuses_are_counted_but_not_by_names_that_a_client_chooses() -> None:
    stats, router = manager(listeners(EDGE)[0]).http_filters
    config = FilterConfig()
    assert stats.typed_config.Unpack(config)
    assert config.WhichOneof("per_method_stat_specifier") == "stats_for_all_methods"
    assert not config.stats_for_all_methods.value
    assert router.name == "envoy.filters.http.router"


def test_ten_thousand_requests_fit_on_tens_of_connections() -> None:
    assert manager(listeners(EDGE)[0]).http2_protocol_options.max_concurrent_streams.value * 10 >= 10_000


def test_an_equal_gateway_has_equal_bytes() -> None:
    again = Gateway("edge", Endpoint("10.0.0.1", 8080), Endpoint("127.0.0.1", 8081))
    assert [each.SerializeToString(deterministic=True) for each in listeners(EDGE)] == [
        each.SerializeToString(deterministic=True) for each in listeners(again)
    ]
