"""What is read from a proxy's reports, given in Envoy's own messages."""

from __future__ import annotations

from bluegreen.model.traffic_report import LoadReading
from bluegreen.switches.envoy.metrics.proxy_statistics import KEPT_UNSEEN, ProxyStatistics
from bluegreen.switches.envoy.metrics.samples import samples
from bluegreen.switches.envoy.metrics.v1 import metrics_service_pb2 as pb
from bluegreen.switches.envoy.names import ClusterName

SHOP_1 = ClusterName("shop", 1)


def family(name: str, kind: int, metric: pb.Metric, **labels: str) -> pb.MetricFamily:
    for key, value in labels.items():
        metric.label.add(name=f"envoy.{key}", value=value)
    return pb.MetricFamily(name=name, type=kind, metric=[metric])


def gauge(name: str, value: float, cluster: str = "bluegreen/shop/1") -> pb.MetricFamily:
    return family(name, pb.GAUGE, pb.Metric(gauge=pb.Gauge(value=value)), cluster_name=cluster)


def counter(name: str, value: float, **labels: str) -> pb.MetricFamily:
    return family(name, pb.COUNTER, pb.Metric(counter=pb.Counter(value=value)), **labels)


def read(statistics: ProxyStatistics, at: float, *families: pb.MetricFamily) -> None:
    statistics.report(at, samples(families))


def alive(cluster: str = "bluegreen/shop/1") -> list[pb.MetricFamily]:
    return [gauge("cluster.membership_healthy", 2, cluster), gauge("cluster.membership_total", 2, cluster)]


def test_members_warming_and_load_are_read() -> None:
    statistics = ProxyStatistics("edge-1", "edge")
    read(
        statistics,
        5.0,
        *alive(),
        gauge("cluster.warming_state", 0),
        gauge("cluster.upstream_rq_active", 7),
        gauge("cluster.upstream_rq_pending_active", 2),
    )
    cluster = statistics.cluster(SHOP_1)
    assert cluster is not None
    assert (cluster.healthy, cluster.members, cluster.warming) == (2, 2, False)
    assert [(each.at, each.active, each.pending) for each in cluster.readings] == [(5.0, 7, 2)]


def test_a_gauge_that_was_never_touched_is_zero_and_a_gone_cluster_gives_no_reading() -> None:
    statistics = ProxyStatistics("edge-1", "edge")
    read(statistics, 1.0, *alive())
    read(statistics, 2.0)
    cluster = statistics.cluster(SHOP_1)
    assert cluster is not None
    assert [(each.at, each.is_idle) for each in cluster.readings] == [(1.0, True)]


def test_while_a_cluster_warms_nothing_is_known_of_its_members() -> None:
    statistics = ProxyStatistics("edge-1", "edge")
    read(statistics, 1.0, gauge("cluster.warming_state", 1))
    cluster = statistics.cluster(SHOP_1)
    assert cluster is not None
    assert (cluster.healthy, cluster.warming) == (None, True)


def test_latency_buckets_are_not_cumulative_and_end_at_infinity() -> None:
    histogram = pb.Histogram(sample_count=10)
    histogram.bucket.add(upper_bound=5, cumulative_count=4)
    histogram.bucket.add(upper_bound=10, cumulative_count=4)
    histogram.bucket.add(upper_bound=25, cumulative_count=9)
    statistics = ProxyStatistics("edge-1", "edge")
    read(
        statistics,
        1.0,
        *alive(),
        family(
            "cluster.upstream_rq_time",
            pb.HISTOGRAM,
            pb.Metric(histogram=histogram),
            cluster_name="bluegreen/shop/1",
        ),
    )
    cluster = statistics.cluster(SHOP_1)
    assert cluster is not None
    assert list(cluster.latency.recent(1.0)) == [{5.0: 4, 10.0: 0, 25.0: 5, float("inf"): 1}]


def test_5xx_that_no_revision_answered_belong_to_the_gateway() -> None:
    statistics = ProxyStatistics("edge-1", "edge")

    def report(at: float, downstream: int, upstream: int, direct: int) -> None:
        edge = {"http_conn_manager_prefix": "bluegreen/edge"}
        read(
            statistics,
            at,
            *alive(),
            counter("http.downstream_rq_xx", downstream, response_code_class="5", **edge),
            counter("http.rq_direct_response", direct, **edge),
            counter(
                "cluster.upstream_rq_xx", upstream, response_code_class="5", cluster_name="bluegreen/shop/1"
            ),
            counter(
                "http.downstream_rq_xx",
                99,
                response_code_class="5",
                http_conn_manager_prefix="bluegreen/edge/preview",
            ),
        )

    report(1.0, downstream=10, upstream=6, direct=3)
    assert statistics.unattributed_5xx == 1
    read(statistics, 2.0 + KEPT_UNSEEN)
    assert statistics.cluster(SHOP_1) is None
    assert statistics.unattributed_5xx == 1, "a dropped cluster keeps what was its own"


def test_what_chosen_users_have_under_way_is_under_way_on_the_revision() -> None:
    statistics = ProxyStatistics("edge-1", "edge")
    manual = "bluegreen/shop/1/manual"
    assert statistics.production_readings("shop", 1) == ()
    read(statistics, 1.0, *alive(), gauge("cluster.upstream_rq_active", 7))
    read(
        statistics,
        2.0,
        *alive(),
        *alive(manual),
        *alive("bluegreen/shop/1/preview"),
        gauge("cluster.upstream_rq_active", 1),
        gauge("cluster.upstream_rq_active", 2, manual),
        gauge("cluster.upstream_rq_pending_active", 3, manual),
        gauge("cluster.upstream_rq_active", 9, "bluegreen/shop/1/preview"),
    )
    assert statistics.production_readings("shop", 1) == (LoadReading(1.0, 7, 0), LoadReading(2.0, 3, 3))


def test_a_5xx_for_a_chosen_user_is_attributed() -> None:
    statistics = ProxyStatistics("edge-1", "edge")

    def fives(name: str, count: int, **labels: str) -> pb.MetricFamily:
        return counter(name, count, response_code_class="5", **labels)

    read(
        statistics,
        1.0,
        *(alive(f"bluegreen/shop/1{twin}")[0] for twin in ("", "/manual", "/preview")),
        fives("http.downstream_rq_xx", 10, http_conn_manager_prefix="bluegreen/edge"),
        fives("cluster.upstream_rq_xx", 4, cluster_name="bluegreen/shop/1"),
        fives("cluster.upstream_rq_xx", 5, cluster_name="bluegreen/shop/1/manual"),
        fives("cluster.upstream_rq_xx", 7, cluster_name="bluegreen/shop/1/preview"),
    )
    assert statistics.unattributed_5xx == 1


def test_nonsense_is_left_out() -> None:
    statistics = ProxyStatistics("edge-1", "edge")
    read(
        statistics,
        1.0,
        gauge("cluster.upstream_rq_active", float("nan")),
        gauge("cluster.upstream_rq_active", -1),
        gauge("cluster.upstream_rq_active", 5, cluster="somebody-elses"),
        counter("cluster.upstream_rq_xx", 5, cluster_name="bluegreen/shop/1", response_code_class="x"),
    )
    cluster = statistics.cluster(SHOP_1)
    assert cluster is None or (cluster.active == 0 and not cluster.by_class)
