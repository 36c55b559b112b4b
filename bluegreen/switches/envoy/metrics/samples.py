"""From a message of the Metrics Service to samples. Only what is read later is taken out of it."""

from __future__ import annotations

from collections.abc import Iterable

from bluegreen.switches.envoy.metrics.proxy_statistics import Sample
from bluegreen.switches.envoy.metrics.v1.metrics_service_pb2 import (
    COUNTER,
    GAUGE,
    HISTOGRAM,
    Histogram,
    Metric,
    MetricFamily,
)
from bluegreen.switches.envoy.names import ClusterName, ListenerName

# Envoy takes these out of a statistic's name and puts them beside it (emit_tags_as_labels).
_CLUSTER = "envoy.cluster_name"
_LISTENER = "envoy.http_conn_manager_prefix"
_CLASS = "envoy.response_code_class"


def samples(families: Iterable[MetricFamily]) -> list[Sample]:
    """Every figure that belongs to one of our clusters or listeners; what cannot be read is left out."""
    read = (_sample(family, metric) for family in families for metric in family.metric)
    return [each for each in read if each is not None]


def _sample(family: MetricFamily, metric: Metric) -> Sample | None:
    labels = {label.name: label.value for label in metric.label}
    cluster = ClusterName.parse(labels[_CLUSTER]) if _CLUSTER in labels else None
    listener = ListenerName.parse(labels[_LISTENER]) if _LISTENER in labels else None
    if cluster is None and listener is None:
        return None
    class_ = labels.get(_CLASS, "")
    sample = Sample(
        family.name, cluster=cluster, listener=listener, class_=int(class_) if class_.isdecimal() else None
    )
    if family.type == COUNTER:
        return _with_value(sample, metric.counter.value)
    if family.type == GAUGE:
        return _with_value(sample, metric.gauge.value)
    if family.type == HISTOGRAM:
        return Sample(family.name, cluster=cluster, listener=listener, histogram=_buckets(metric.histogram))
    return None


def _with_value(sample: Sample, value: float) -> Sample | None:
    # A value that is not a number, or below none, was not counted by an Envoy.
    if not 0 <= value < 2**63:
        return None
    return Sample(sample.name, value, sample.cluster, sample.listener, sample.class_)


def _buckets(histogram: Histogram) -> dict[float, int]:
    """Requests per bucket, by upper bound in ms; those beyond the last bound are in the bucket `inf`."""
    buckets: dict[float, int] = {}
    below = 0
    for bucket in histogram.bucket:
        count = bucket.cumulative_count - below
        if count > 0:
            buckets[bucket.upper_bound] = count
            below = bucket.cumulative_count
    if histogram.sample_count > below:
        buckets[float("inf")] = histogram.sample_count - below
    return buckets
