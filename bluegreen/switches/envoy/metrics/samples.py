"""From a message of the Metrics Service to samples. Only what is read later is taken out of it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from bluegreen.switches.envoy.metrics.counts import COUNTERS
from bluegreen.switches.envoy.metrics.sample import Sample
from bluegreen.switches.envoy.metrics.v1.metrics_service_pb2 import (
    COUNTER,
    GAUGE,
    HISTOGRAM,
    Histogram,
    Metric,
    MetricFamily,
)
from bluegreen.switches.envoy.names import ClusterName, ListenerName

_READ = frozenset(
    (
        *("cluster.upstream_rq_total", "cluster.upstream_rq_xx", "cluster.upstream_rq_time"),
        *("cluster.upstream_rq_active", "cluster.upstream_rq_pending_active"),
        *("cluster.membership_healthy", "cluster.membership_total", "cluster.warming_state"),
        *("http.downstream_rq_completed", "http.downstream_rq_xx", "http.rq_direct_response"),
        *COUNTERS,
    )
)
"""What `ClusterStatistics` and `ProxyStatistics` read. An Envoy reports as much again for its operators."""

MAXIMUM_NAME = 512
"""Characters; longer than any name of ours."""


def samples(families: Iterable[MetricFamily]) -> list[Sample]:
    """Every figure that belongs to one of our clusters or listeners; what cannot be read is left out.

    Envoy takes their names out of that of a statistic and puts them beside it (`emit_tags_as_labels`).
    """
    read: list[Sample] = []
    for family in families:
        name = family.name
        if name in _READ:
            for metric in family.metric:
                sample = _sample(name, family.type, metric)
                if sample is not None:
                    read.append(sample)
    return read


def _sample(name: str, kind: int, metric: Metric) -> Sample | None:
    cluster: ClusterName | None = None
    listener: ListenerName | None = None
    class_: int | None = None
    for label in metric.label:
        match label.name:
            case "envoy.cluster_name":
                cluster = _cluster(label.value)
            case "envoy.http_conn_manager_prefix":
                listener = _listener(label.value)
            case "envoy.response_code_class" if label.value.isdecimal():
                class_ = int(label.value)
    if cluster is None and listener is None:
        return None
    if kind == HISTOGRAM:
        return Sample(name, cluster=cluster, listener=listener, histogram=_buckets(metric.histogram))
    if kind == COUNTER:
        value = metric.counter.value
    elif kind == GAUGE:
        value = metric.gauge.value
    else:
        return None
    # A value that is not a number, or below none, was not counted by an Envoy.
    return Sample(name, value, cluster, listener, class_) if 0 <= value < 2**63 else None


def _cluster(text: str) -> ClusterName | None:
    return _known_cluster(text) if len(text) <= MAXIMUM_NAME else None


def _listener(text: str) -> ListenerName | None:
    return _known_listener(text) if len(text) <= MAXIMUM_NAME else None


# A thousand proxies repeat the same names in each report, a dozen times for each cluster.
_known_cluster = lru_cache(maxsize=16_384)(ClusterName.parse)
_known_listener = lru_cache(maxsize=1_024)(ListenerName.parse)


def _buckets(histogram: Histogram) -> dict[float, int]:
    """Requests per bucket, by upper bound in ms; those beyond the last bound are in the bucket `inf`.

    Of the empty buckets those are kept that have one with requests above them: they tell where it begins.
    """
    buckets: dict[float, int] = {}
    below, begins = 0, 0.0
    for bucket in histogram.bucket:
        count = bucket.cumulative_count - below
        if count > 0:
            _add(buckets, begins, bucket.upper_bound, count)
            below = bucket.cumulative_count
        begins = bucket.upper_bound
    if histogram.sample_count > below:
        _add(buckets, begins, float("inf"), histogram.sample_count - below)
    return buckets


def _add(buckets: dict[float, int], begins: float, ends: float, count: int) -> None:
    if begins:
        buckets.setdefault(begins, 0)
    buckets[ends] = count
