"""The configuration that an Envoy of a gateway is started with (envoy.config.bootstrap.v3.Bootstrap).

Everything else comes from the control plane. What stands here is fixed until the Envoy is started again, so
it is settled for good: state of the world or delta, the statistics, who may reach the admin port. The runtime
has a layer for that port and none that the control plane writes (RTDS): nothing asks for one, and an Envoy
starts 15 s late where nobody answers for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Any

import yaml

from bluegreen.model.duration import format_duration
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.errors import InvalidInput
from bluegreen.switches.envoy.statistics import stats_config

CONTROL_PLANE = "control_plane"
"""The cluster that leads to the control plane. No name of ours within the proxies begins like it."""

SHORTEST_FLUSH, LONGEST_FLUSH = 0.05, 5.0
"""Seconds. More often is work without use; a proxy that reports more seldom would pass for silent."""

CONTROL_PLANE_ADDRESS = Endpoint("127.0.0.1", 18000)
ADMIN_ADDRESS = Endpoint("127.0.0.1", 9901)


class XdsProtocol(StrEnum):
    SOTW = "sotw"  # state of the world: an answer carries everything
    DELTA = "delta"  # an answer carries what changed


@dataclass(frozen=True, slots=True)
class BootstrapOptions:
    """What differs between two Envoys. `flush_interval` in seconds; `max_connections` over all listeners."""

    gateway: str
    node_id: str
    control_plane: Endpoint = CONTROL_PLANE_ADDRESS
    protocol: XdsProtocol = XdsProtocol.SOTW
    admin: Endpoint = ADMIN_ADDRESS
    flush_interval: float = 1.0
    max_connections: int = 50_000


def bootstrap(options: BootstrapOptions) -> dict[str, Any]:
    """The bootstrap as plain values. Raises InvalidInput where the admin port would be open to others:
    whoever reaches it can stop the proxy; and where it would report too seldom for anything to be proved."""
    if not _is_loopback(options.admin.host):
        raise InvalidInput(
            f"{options.admin} is no loopback address: Envoy's admin port asks for no password."
        )
    if not SHORTEST_FLUSH <= options.flush_interval <= LONGEST_FLUSH:
        raise InvalidInput(
            f"A flush interval of {format_duration(options.flush_interval)} is out of range: "
            f"{format_duration(SHORTEST_FLUSH)} to {format_duration(LONGEST_FLUSH)}."
        )
    return {
        "node": {"id": options.node_id, "cluster": options.gateway},
        "admin": {"address": _address(options.admin)},
        "dynamic_resources": _dynamic_resources(options.protocol),
        "static_resources": {"clusters": [_control_plane(options.control_plane)]},
        "stats_flush_interval": f"{options.flush_interval:.9g}s",
        "stats_sinks": [_metrics_service()],
        "stats_config": stats_config(),
        "layered_runtime": {"layers": [{"name": "admin", "admin_layer": {}}]},
        "overload_manager": _overload_manager(options.max_connections),
    }


def as_yaml(values: dict[str, Any]) -> str:
    """The text that Envoy reads, in the order of the values."""
    return yaml.safe_dump(values, sort_keys=False, width=110)


def _dynamic_resources(protocol: XdsProtocol) -> dict[str, Any]:
    return {
        "ads_config": {
            "api_type": "GRPC" if protocol is XdsProtocol.SOTW else "DELTA_GRPC",
            "transport_api_version": "V3",
            # The node is 61 KB; it does not change within a stream.
            "set_node_on_first_message_only": True,
            "grpc_services": [_discovery_service()],
        },
        "cds_config": _over_ads(),
        "lds_config": _over_ads(),
    }


def _discovery_service() -> dict[str, Any]:
    # Envoy's own pace grows to 30 s: a control plane that was away for a while would wait that long for its
    # proxies. No deadline of a rollout ends before they had time to be back.
    pace = {"base_interval": "0.5s", "max_interval": "5s"}
    return {"envoy_grpc": {"cluster_name": CONTROL_PLANE, "retry_policy": {"retry_back_off": pace}}}


def _over_ads() -> dict[str, Any]:
    # No timeout on the first fetch: an Envoy that knows nothing yet is not ready, and does not say so.
    return {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}


def _metrics_service() -> dict[str, Any]:
    # Counters stay cumulative: what is flushed while no stream is up would be lost to deltas. Buckets add up
    # across proxies, summaries do not.
    return {
        "name": "envoy.stat_sinks.metrics_service",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.config.metrics.v3.MetricsServiceConfig",
            "transport_api_version": "V3",
            "grpc_service": _grpc_service(),
            "emit_tags_as_labels": True,
            "histogram_emit_mode": "HISTOGRAM",
        },
    }


def _grpc_service() -> dict[str, Any]:
    return {"envoy_grpc": {"cluster_name": CONTROL_PLANE}}


def _control_plane(address: Endpoint) -> dict[str, Any]:
    http2 = {"connection_keepalive": {"interval": "30s", "timeout": "5s"}}
    return {
        "name": CONTROL_PLANE,
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "connect_timeout": "1s",
        # A peer that is gone without a word is noticed within half a minute.
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_time": 10, "keepalive_interval": 5, "keepalive_probes": 3}
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": http2},
            }
        },
        "load_assignment": {
            "cluster_name": CONTROL_PLANE,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(address)}}]}],
        },
    }


def _overload_manager(max_connections: int) -> dict[str, Any]:
    kind = "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    monitor = {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {
            "@type": f"type.googleapis.com/{kind}",
            "max_active_downstream_connections": max_connections,
        },
    }
    return {"resource_monitors": [monitor]}


def _address(endpoint: Endpoint) -> dict[str, Any]:
    return {"socket_address": {"address": endpoint.host, "port_value": endpoint.port}}


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
