"""Which of an Envoy's statistics are kept and sent, and in which buckets: fixed when it starts.

The patterns match whole names, before tags are taken out of them. They rest on names.PREFIX and on no name
within it having a dot, so that they hold for every service, revision and gateway to come.
"""

from __future__ import annotations

from typing import Any

from bluegreen.switches.envoy.names import PREFIX

_CLUSTERS = rf"cluster\.{PREFIX}[^.]+\."
_GATEWAYS = rf"http\.{PREFIX}[^.]+\."
_LISTENERS = rf"listener\.{PREFIX}[^.]+\."

# One small pattern each: RE2 bounds the size of a program.
PATTERNS = (
    # A revision: requests, answers by class, what is under way, latency.
    rf"{_CLUSTERS}upstream_rq_(total|completed|[1-5]xx|active|pending_active|time)",
    # ... what went wrong on the way to it.
    rf"{_CLUSTERS}upstream_rq_(timeout|per_try_timeout|rx_reset|tx_reset|cancelled)",
    rf"{_CLUSTERS}upstream_rq_(pending_overflow|pending_failure_eject)",
    rf"{_CLUSTERS}upstream_rq_(retry|retry_success|retry_overflow|retry_limit_exceeded)",
    rf"{_CLUSTERS}upstream_cx_(active|connect_fail|connect_timeout|none_healthy|overflow)",
    rf"{_CLUSTERS}upstream_cx_destroy_remote_with_active_rq",
    # ... whether it can take traffic.
    rf"{_CLUSTERS}(membership_(healthy|total)|warming_state|init_fetch_timeout)",
    # ... and its gRPC statuses, all methods together.
    rf"{_CLUSTERS}grpc\.([0-9]+|success|failure|total)",
    # A gateway: what its clients see, and the answers that belong to no revision.
    rf"{_GATEWAYS}downstream_rq_(total|completed|[1-5]xx|active)",
    rf"{_GATEWAYS}downstream_rq_(rx_reset|tx_reset|timeout|idle_timeout|overload_close)",
    rf"{_GATEWAYS}downstream_cx_(total|active|destroy_local_active_rq|destroy_remote_active_rq)",
    rf"{_GATEWAYS}(no_route|no_cluster|rq_direct_response)",
    rf"{_LISTENERS}downstream_(global_)?cx_overflow",
    # The proxy.
    r"cluster_manager\.(active|warming)_clusters",
    r"control_plane\.connected_state",
    r"listener_manager\.(total_listeners_(active|warming|draining)|listener_create_failure)",
    r"server\.(live|state|uptime|hot_restart_epoch|total_connections|memory_allocated)",
)

BUCKETS = (
    *(1, 2, 3, 5, 7, 10, 15, 25, 40, 60, 100, 150, 250, 400, 600),
    *(1000, 1500, 2500, 5000, 10_000, 30_000, 60_000),
)
"""Upper bounds of the latency histograms, in milliseconds. Each costs 15 bytes a second and revision."""


def stats_config() -> dict[str, Any]:
    """envoy.config.metrics.v3.StatsConfig"""
    return {
        "stats_matcher": {
            "inclusion_list": {"patterns": [{"safe_regex": {"regex": pattern}} for pattern in PATTERNS]}
        },
        "histogram_bucket_settings": [{"match": {"prefix": f"cluster.{PREFIX}"}, "buckets": list(BUCKETS)}],
    }
