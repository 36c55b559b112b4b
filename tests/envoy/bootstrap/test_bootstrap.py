from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap
from envoy.config.metrics.v3.metrics_service_pb2 import HISTOGRAM, MetricsServiceConfig
from envoy.extensions.resource_monitors.downstream_connections.v3.downstream_connections_pb2 import (
    DownstreamConnectionsConfig,
)
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions
from google.protobuf.json_format import ParseDict

from bluegreen.app.demo.envoy_process import validate
from bluegreen.app.demo.processes import ChildProcesses
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput
from bluegreen.switches.envoy.bootstrap import BootstrapOptions, XdsProtocol, as_yaml, bootstrap

EXAMPLES = Path(__file__).parents[3] / "envoy"


def made(**changes: object) -> Bootstrap:
    options = BootstrapOptions(**{"gateway": "edge", "node_id": "edge-1"} | changes)
    return ParseDict(bootstrap(options), Bootstrap())


def test_the_gateway_is_the_nodes_cluster() -> None:
    assert (made().node.id, made().node.cluster) == ("edge-1", "edge")


@pytest.mark.parametrize(("protocol", "api"), [(XdsProtocol.SOTW, "GRPC"), (XdsProtocol.DELTA, "DELTA_GRPC")])
def test_the_protocol_is_chosen_here(protocol: XdsProtocol, api: str) -> None:
    ads = made(protocol=protocol).dynamic_resources.ads_config
    assert ads.ApiType.Name(ads.api_type) == api
    assert ads.set_node_on_first_message_only


def test_a_proxy_tries_again_sooner_than_a_deadline_goes_on_after_a_restart() -> None:
    (service,) = made().dynamic_resources.ads_config.grpc_services
    assert service.envoy_grpc.retry_policy.retry_back_off.max_interval.seconds == 5


def test_clusters_and_listeners_come_over_ads_and_are_waited_for() -> None:
    resources = made().dynamic_resources
    for source in (resources.cds_config, resources.lds_config):
        assert source.HasField("ads")
        assert source.HasField("initial_fetch_timeout")
        assert source.initial_fetch_timeout.ToNanoseconds() == 0


def test_the_sink_sends_cumulative_counters_and_buckets() -> None:
    sink = MetricsServiceConfig()
    assert made().stats_sinks[0].typed_config.Unpack(sink)
    assert sink.emit_tags_as_labels
    assert not sink.report_counters_as_deltas.value
    assert sink.histogram_emit_mode == HISTOGRAM
    assert made(flush_interval=0.25).stats_flush_interval.ToMilliseconds() == 250


@pytest.mark.parametrize("seconds", [0, 0.049, 5.001, 86400])
def test_a_proxy_that_would_never_prove_anything_is_not_set_up(seconds: float) -> None:
    with pytest.raises(InvalidInput, match=r"flush interval of .* is out of range: 50ms to 5s\."):
        made(flush_interval=seconds)


def test_connections_are_bounded_over_all_listeners() -> None:
    (monitor,) = made(max_connections=7).overload_manager.resource_monitors
    limits = DownstreamConnectionsConfig()
    assert monitor.typed_config.Unpack(limits)
    assert limits.max_active_downstream_connections == 7


def test_both_streams_lead_to_the_control_plane_which_is_watched() -> None:
    whole = made(control_plane=Endpoint("bluegreen", 18000))
    (cluster,) = whole.static_resources.clusters
    address = cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address
    assert (address.address, address.port_value) == ("bluegreen", 18000)
    options = HttpProtocolOptions()
    assert cluster.typed_extension_protocol_options.popitem()[1].Unpack(options)
    assert options.explicit_http_config.http2_protocol_options.connection_keepalive.interval.seconds == 30
    assert cluster.upstream_connection_options.HasField("tcp_keepalive")
    sink = MetricsServiceConfig()
    whole.stats_sinks[0].typed_config.Unpack(sink)
    services = [*whole.dynamic_resources.ads_config.grpc_services, sink.grpc_service]
    assert {each.envoy_grpc.cluster_name for each in services} == {cluster.name}


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::", "localhost", "admin.example.com"])  # noqa: S104
def test_the_admin_port_is_nobody_elses(host: str) -> None:
    with pytest.raises(InvalidInput, match="no loopback address"):
        made(admin=Endpoint(host, 9901))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1"])
def test_any_loopback_address_will_do(host: str) -> None:
    assert made(admin=Endpoint(host, 9901)).admin.address.socket_address.address == host


@pytest.mark.parametrize("protocol", list(XdsProtocol))
async def test_envoy_accepts_what_is_printed(protocol: XdsProtocol, children: ChildProcesses) -> None:
    options = BootstrapOptions("edge", "edge-1", Endpoint("::1", 18000), protocol, flush_interval=0.1)
    await validate(children, as_yaml(bootstrap(options)))


@pytest.mark.parametrize("kind", ["edge", "sidecar"])
async def test_the_examples_are_what_is_printed_and_envoy_accepts_them(
    kind: str, children: ChildProcesses
) -> None:
    text = (EXAMPLES / f"{kind}.yaml").read_text(encoding="utf-8")
    options = BootstrapOptions(kind, f"{kind}-1", Endpoint("bluegreen", 18000))
    assert yaml.safe_load(text) == bootstrap(options)
    assert text.endswith(as_yaml(bootstrap(options)))
    await validate(children, text)


def test_printing_one_loads_neither_grpc_nor_the_protobuf_classes() -> None:
    check = (
        "import sys, bluegreen.switches.envoy.bootstrap\n"
        "sys.exit(any(name.split('.')[0] in ('grpc', 'google', 'envoy') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
