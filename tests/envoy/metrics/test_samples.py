"""What is read out of a report."""

from __future__ import annotations

import asyncio

import pytest

from bluegreen.switches.envoy.metrics.receiver import AT_ONCE, _samples
from bluegreen.switches.envoy.metrics.samples import MAXIMUM_NAME, samples
from bluegreen.switches.envoy.metrics.v1 import metrics_service_pb2 as pb
from bluegreen.switches.envoy.names import ClusterName


def gauge(value: float, **labels: str) -> pb.MetricFamily:
    pairs = [pb.LabelPair(name=name.replace("_", ".", 1), value=text) for name, text in labels.items()]
    metric = pb.Metric(label=pairs, gauge=pb.Gauge(value=value))
    return pb.MetricFamily(name="cluster.membership_total", type=pb.GAUGE, metric=[metric])


def of_cluster(name: str, value: float = 2.0) -> pb.MetricFamily:
    return gauge(value, envoy_cluster_name=name)


def test_a_figure_of_a_cluster_of_ours_is_read() -> None:
    (sample,) = samples([of_cluster("bluegreen/shop/1")])
    assert (sample.name, sample.value) == ("cluster.membership_total", 2.0)
    assert sample.cluster == ClusterName("shop", 1)


@pytest.mark.parametrize(
    "family",
    [
        of_cluster("somebody/else"),
        of_cluster("bluegreen/" + "x" * MAXIMUM_NAME + "/1"),
        of_cluster("bluegreen/shop/1", float("nan")),
        of_cluster("bluegreen/shop/1", -1.0),
        gauge(1.0),
    ],
)
def test_what_is_not_ours_or_no_count_is_left_out(family: pb.MetricFamily) -> None:
    assert samples([family]) == []


async def test_others_have_their_turn_while_a_large_report_is_read() -> None:
    turns: list[int] = []

    async def other() -> None:
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    read = await _samples([of_cluster("bluegreen/shop/1")] * (3 * AT_ONCE))
    task.cancel()
    assert len(read) == 3 * AT_ONCE
    assert len(turns) >= 2
