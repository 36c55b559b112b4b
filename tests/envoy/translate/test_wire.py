from __future__ import annotations

from envoy.config.route.v3.route_components_pb2 import VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.switches.envoy.translate.wire import nested


@given(st.lists(st.text(max_size=40_000), max_size=3))
def test_joining_is_encoding(names: list[str]) -> None:
    hosts = [VirtualHost(name=name) for name in names]
    whole = RouteConfiguration(name="table", virtual_hosts=hosts)
    parts = [
        nested(RouteConfiguration.VIRTUAL_HOSTS_FIELD_NUMBER, host.SerializeToString()) for host in hosts
    ]
    head = RouteConfiguration(name="table").SerializeToString()
    assert b"".join((head, *parts)) == whole.SerializeToString()
