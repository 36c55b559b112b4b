"""A bootstrap without a control plane: one Envoy in front of given backends."""

from __future__ import annotations

from typing import Any

HTTP = "type.googleapis.com/envoy.extensions"


def static_bootstrap(*backends: str, http2: bool = False) -> dict[str, Any]:
    """One listener `entry` on a free port, HTTP/1.1 and h2c, spreading requests over HOST:PORT `backends`.

    Retries nothing, so that what a backend breaks reaches the client.
    """
    return {
        "admin": {"address": _address("127.0.0.1:0")},
        "static_resources": {"listeners": [_listener()], "clusters": [_cluster(backends, http2)]},
    }


def _listener() -> dict[str, Any]:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "backends", "timeout": "60s"}}
    manager = {
        "@type": f"{HTTP}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "entry",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {"name": "router", "typed_config": {"@type": f"{HTTP}.filters.http.router.v3.Router"}}
        ],
    }
    return {
        "name": "entry",
        "address": _address("127.0.0.1:0"),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def _cluster(backends: tuple[str, ...], http2: bool) -> dict[str, Any]:
    protocol: dict[str, Any] = {"http2_protocol_options": {}} if http2 else {"http_protocol_options": {}}
    plenty = {"max_connections": 100_000, "max_pending_requests": 100_000, "max_requests": 100_000}
    return {
        "name": "backends",
        "type": "STATIC",
        "circuit_breakers": {"thresholds": [plenty]},
        "load_assignment": {
            "cluster_name": "backends",
            "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": _address(backend)}} for backend in backends]}
            ],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{HTTP}.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"idle_timeout": "30s"},
                "explicit_http_config": protocol,
            }
        },
    }


def _address(address: str) -> dict[str, Any]:
    host, _, port = address.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}
