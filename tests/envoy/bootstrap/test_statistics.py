"""What a real Envoy with our bootstrap reports: the receiver is built on these names and labels."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.gateway import Gateway
from bluegreen.model.service import HealthCheck
from bluegreen.model.traffic import ServiceTraffic
from bluegreen.switches.envoy.bootstrap import BootstrapOptions, bootstrap
from bluegreen.switches.envoy.metrics.v1.metrics_service_pb2 import COUNTER, GAUGE, HISTOGRAM
from bluegreen.switches.envoy.statistics import BUCKETS
from bluegreen.switches.envoy.translate.clusters import clusters
from bluegreen.switches.envoy.translate.endpoints import load_assignments
from bluegreen.switches.envoy.translate.listeners import listeners
from bluegreen.switches.envoy.translate.packing import packed
from bluegreen.switches.envoy.translate.route_tables import RouteTable
from tests.envoy.bootstrap.control_plane import ControlPlane, Labels, Series, control_plane
from tests.envoy.translate.samples import backend, service
from tests.support.fixtures import StartApplication, StartEnvoy

EDGE = Gateway("edge", Endpoint("127.0.0.1", 0), Endpoint("127.0.0.1", 0))
V1: Labels = (("envoy.cluster_name", "bluegreen/shop/1"),)
GATEWAY: Labels = (("envoy.http_conn_manager_prefix", "bluegreen/edge"),)


def of_class(number: int, labels: Labels) -> Labels:
    return tuple(sorted((*labels, ("envoy.response_code_class", str(number)))))


def resources(traffic: ServiceTraffic) -> dict[str, list[AnyMessage]]:
    url = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
    made = [packed(each) for each in (*clusters(traffic), *load_assignments(traffic), *listeners(EDGE))]
    for table in (RouteTable.production(EDGE.name), RouteTable.preview(EDGE.name)):
        table.put(traffic)
        made.append(AnyMessage(type_url=url, value=table.encode()))
    by_type: dict[str, list[AnyMessage]] = {}
    for each in made:
        by_type.setdefault(each.type_url, []).append(each)
    return by_type


@asynccontextmanager
async def reporting(envoy: StartEnvoy, traffic: ServiceTraffic) -> AsyncIterator[tuple[ControlPlane, str]]:
    """A control plane to which an Envoy with our bootstrap reports, and the Envoy's URL."""
    async with control_plane(resources(traffic)) as plane:
        options = BootstrapOptions(
            "edge",
            "edge-1",
            control_plane=Endpoint("127.0.0.1", plane.port),
            admin=Endpoint("127.0.0.1", 0),
            flush_interval=0.2,
        )
        proxy = await envoy(bootstrap(options))
        host, port = (await proxy.admin.listeners())["bluegreen/edge"]
        yield plane, f"http://{host}:{port}"
        assert plane.rejected == []
        await proxy.stop()


async def test_before_the_first_request(envoy: StartEnvoy) -> None:
    checked = service(health_check=HealthCheck())
    dead = ServiceTraffic(checked, (backend(1, "127.0.0.1:1", weight=100, of=checked),))
    async with reporting(envoy, dead) as (plane, _):
        series = await plane.until(lambda series: ("cluster.warming_state", V1) in series)
        assert plane.node == ("edge-1", "edge")
        gauges = {
            name: family.metric[0].gauge.value for (name, labels), family in series.items() if labels == V1
        }
        # What has never been touched is absent.
        assert gauges == {
            "cluster.membership_healthy": 0,
            "cluster.membership_total": 1,
            "cluster.warming_state": 0,
        }
        assert {name for (name, labels) in series if not labels} >= {
            "cluster_manager.warming_clusters",
            "control_plane.connected_state",
            "listener_manager.total_listeners_active",
            "server.live",
            "server.uptime",
        }


async def test_after_requests(application: StartApplication, envoy: StartEnvoy) -> None:
    app = await application("v1")
    live = ServiceTraffic(service(), (backend(1, app.address, weight=100), backend(2, "127.0.0.1:1")))

    def counter(series: Series, name: str, labels: Labels) -> float:
        family = series.get((name, labels))
        return family.metric[0].counter.value if family else 0

    async with reporting(envoy, live) as (plane, url), aiohttp.ClientSession() as session:
        for host in ("shop.example.com", "shop.example.com", "unknown.example.com"):
            async with session.get(url, headers={"host": host}) as answer:
                await answer.read()
        series = await plane.until(
            lambda series: counter(series, "http.downstream_rq_xx", of_class(4, GATEWAY)) == 1
        )
        kinds = {key: family.type for key, family in series.items()}
        assert kinds[("cluster.upstream_rq_total", V1)] == COUNTER
        assert kinds[("cluster.upstream_rq_active", V1)] == GAUGE
        assert kinds[("cluster.upstream_rq_pending_active", V1)] == GAUGE
        assert kinds[("cluster.upstream_rq_time", V1)] == HISTOGRAM
        assert counter(series, "cluster.upstream_rq_total", V1) == 2
        assert counter(series, "cluster.upstream_rq_completed", V1) == 2
        assert counter(series, "cluster.upstream_rq_xx", of_class(2, V1)) == 2
        assert counter(series, "http.downstream_rq_xx", of_class(2, GATEWAY)) == 2
        assert counter(series, "http.no_route", GATEWAY) == 1
        buckets = series[("cluster.upstream_rq_time", V1)].metric[0].histogram.bucket
        assert tuple(each.upper_bound for each in buckets) == BUCKETS
        assert plane.flush_bytes < 4_000


async def test_nothing_is_sent_that_was_not_asked_for(envoy: StartEnvoy) -> None:
    dead = ServiceTraffic(service(), (backend(1, "127.0.0.1:1", weight=100),))
    async with reporting(envoy, dead) as (plane, _):
        series = await plane.until(lambda series: ("cluster.warming_state", V1) in series)
        named = [labels for _, labels in series if labels]
        assert named
        assert all(value.startswith("bluegreen/") for labels in named for _, value in labels[:1])


@pytest.mark.parametrize("green", [0, 100])
async def test_weights_of_zero_are_accepted(green: int, envoy: StartEnvoy) -> None:
    backends = (backend(1, "127.0.0.1:1", weight=100 - green), backend(2, "127.0.0.1:1", weight=green))
    async with reporting(envoy, ServiceTraffic(service(), backends, preview=2)) as (plane, _):
        await plane.until(bool)
