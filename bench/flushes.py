"""What an Envoy streams to the Metrics Service, put together once for all that have the same clusters."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from envoy.service.discovery.v3 import discovery_pb2

from bluegreen.switches.envoy.metrics.v1 import metrics_service_pb2 as pb
from bluegreen.switches.envoy.names import ClusterName, listener_name
from bluegreen.switches.envoy.statistics import BUCKETS
from bluegreen.switches.envoy.translate.wire import nested

GATEWAY = "edge"

Clusters = tuple[tuple[str, int], ...]
"""Names, each with its number of instances."""

_SERVER = ("live", "state", "uptime", "hot_restart_epoch", "total_connections", "memory_allocated")
_MANAGERS = (
    "cluster_manager.warming_clusters",
    "cluster_manager.active_clusters",
    "control_plane.connected_state",
    "listener_manager.total_listeners_active",
    "listener_manager.total_listeners_warming",
)
_TOUCHED = (
    ("cluster.upstream_rq_total", 1_000_000, pb.COUNTER),
    ("cluster.upstream_rq_completed", 1_000_000, pb.COUNTER),
    ("cluster.upstream_rq_active", 0, pb.GAUGE),
    ("cluster.upstream_rq_pending_active", 0, pb.GAUGE),
    ("cluster.upstream_cx_active", 12, pb.GAUGE),
)


@cache
def flush(clusters: Clusters) -> bytes:
    """One whole flush. A revision's own cluster has had traffic; one for the preview and the like has not."""
    families = [_family(f"server.{name}", 0, pb.GAUGE) for name in _SERVER]
    families += [_family(name, 1, pb.GAUGE) for name in _MANAGERS]
    families += _gateway()
    for name, instances in clusters:
        families += _untouched(name, instances)
        parsed = ClusterName.parse(name)
        if parsed is not None and parsed.twin is None:
            families += _touched(name)
    return bytes(pb.StreamMetricsMessage(envoy_metrics=families).SerializeToString())


def identifier(first_request: bytes) -> bytes:
    """What goes ahead of a stream's first flush: the node, as large as in the first DiscoveryRequest."""
    node = discovery_pb2.DiscoveryRequest.FromString(first_request).node.SerializeToString()
    return nested(1, nested(1, node))


def _gateway() -> list[pb.MetricFamily]:
    labels = {"envoy.http_conn_manager_prefix": listener_name(GATEWAY)}
    counters = [
        _family(f"http.downstream_{name}", 1_000_000, pb.COUNTER, labels)
        for name in ("rq_total", "rq_completed", "cx_total")
    ]
    answers = _family(
        "http.downstream_rq_xx", 1_000_000, pb.COUNTER, {**labels, "envoy.response_code_class": "2"}
    )
    return [*counters, answers]


def _untouched(name: str, instances: int) -> list[pb.MetricFamily]:
    labels = {"envoy.cluster_name": name}
    return [
        _family("cluster.membership_healthy", instances, pb.GAUGE, labels),
        _family("cluster.membership_total", instances, pb.GAUGE, labels),
        _family("cluster.warming_state", 0, pb.GAUGE, labels),
    ]


def _touched(name: str) -> list[pb.MetricFamily]:
    labels = {"envoy.cluster_name": name}
    classes = [
        _family("cluster.upstream_rq_xx", 1000, pb.COUNTER, {**labels, "envoy.response_code_class": class_})
        for class_ in ("2", "4", "5")
    ]
    time = _family("cluster.upstream_rq_time", 0, pb.HISTOGRAM, labels)
    histogram = time.metric[0].histogram
    for number, bound in enumerate(BUCKETS):
        histogram.bucket.add(cumulative_count=100 * number, upper_bound=bound)
    histogram.sample_count = 100 * len(BUCKETS)
    return [*(_family(what, value, kind, labels) for what, value, kind in _TOUCHED), *classes, time]


def _family(
    name: str, value: float, kind: pb.MetricType, labels: dict[str, str] | None = None
) -> pb.MetricFamily:
    family = pb.MetricFamily(name=name, type=kind)
    metric = family.metric.add(label=_labels(labels or {}), timestamp_ms=1_700_000_000_000)
    if kind == pb.COUNTER:
        metric.counter.value = value
    elif kind == pb.GAUGE:
        metric.gauge.value = value
    return family


def _labels(labels: dict[str, str]) -> Iterable[pb.LabelPair]:
    return [pb.LabelPair(name=name, value=value) for name, value in labels.items()]
