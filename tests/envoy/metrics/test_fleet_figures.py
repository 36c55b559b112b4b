"""What is made of the reports of several proxies, given in Envoy's own messages."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bluegreen.model.revision_figures import RevisionFigures, ServiceFigures
from bluegreen.switches.envoy.metrics.fleet_figures import MAXIMUM_BOUNDS, Question
from bluegreen.switches.envoy.metrics.fleet_statistics import FleetStatistics
from bluegreen.switches.envoy.metrics.proxy_statistics import LONGEST_GAP, ProxyStatistics
from bluegreen.switches.envoy.metrics.samples import samples
from bluegreen.switches.envoy.metrics.timeline import KEPT
from bluegreen.switches.envoy.metrics.v1 import metrics_service_pb2 as pb

SHOP_1, SHOP_2 = "bluegreen/shop/1", "bluegreen/shop/2"


class Reports:
    """What proxies of the gateway `edge` report, and what is made of it."""

    def __init__(self, proxies: int = 1) -> None:
        self.statistics = FleetStatistics()
        self.proxies = proxies
        self.now = 0.0

    def report(self, at: float, *families: pb.MetricFamily, proxy: str = "edge-1") -> None:
        self.now = at
        self.statistics.report(proxy, "edge", at, samples(families))

    def figures(self, since: float) -> ServiceFigures:
        asked = Question("shop", (1,), ("edge",), since, self.now, heard=self.proxies)
        return self.statistics.figures.of(asked)

    def first(self, since: float) -> RevisionFigures:
        return self.figures(since).revisions[1]


def family(name: str, kind: pb.MetricType, metric: pb.Metric, labels: Mapping[str, str]) -> pb.MetricFamily:
    for key, value in labels.items():
        metric.label.add(name=f"envoy.{key}", value=value)
    return pb.MetricFamily(name=name, type=kind, metric=[metric])


def counter(name: str, value: float, cluster: str = SHOP_1) -> pb.MetricFamily:
    metric = pb.Metric(counter=pb.Counter(value=value))
    return family(f"cluster.{name}", pb.COUNTER, metric, {"cluster_name": cluster})


def answers(value: float, cluster: str = SHOP_1, class_: int = 2) -> pb.MetricFamily:
    metric = pb.Metric(counter=pb.Counter(value=value))
    labels = {"cluster_name": cluster, "response_code_class": str(class_)}
    return family("cluster.upstream_rq_xx", pb.COUNTER, metric, labels)


def fives(value: float, cluster: str = SHOP_1) -> pb.MetricFamily:
    return answers(value, cluster, 5)


def latencies(buckets: Mapping[float, int], cluster: str = SHOP_1) -> pb.MetricFamily:
    histogram = pb.Histogram(sample_count=sum(buckets.values()))
    below = 0
    for bound, count in buckets.items():
        below += count
        histogram.bucket.add(upper_bound=bound, cumulative_count=below)
    metric = pb.Metric(histogram=histogram)
    return family("cluster.upstream_rq_time", pb.HISTOGRAM, metric, {"cluster_name": cluster})


def of_listener(name: str, value: float, class_: int | None = None, of: str = "edge") -> pb.MetricFamily:
    metric = pb.Metric(counter=pb.Counter(value=value))
    labels = {"http_conn_manager_prefix": f"bluegreen/{of}"}
    if class_ is not None:
        labels["response_code_class"] = str(class_)
    return family(f"http.{name}", pb.COUNTER, metric, labels)


def test_the_first_report_of_a_proxy_tells_nothing_of_when() -> None:
    reports = Reports()
    reports.report(100.0, answers(1_000_000), fives(1000))
    assert reports.first(0.0).answers == 0
    reports.report(101.0, answers(1_000_005), fives(1002), answers(5, class_=4))
    assert (reports.first(0.0).answers, reports.first(0.0).failures) == (12, 2)


def test_a_cluster_that_is_new_to_a_known_proxy_grows_from_nothing() -> None:
    reports = Reports()
    reports.report(100.0, answers(5))
    reports.report(101.0, answers(5), answers(7, SHOP_2), fives(1, SHOP_2))
    second = reports.figures(0.0).revisions[2]
    assert (second.answers, second.failures, second.first_failure_at) == (8, 1, 101.0)
    assert reports.first(0.0).first_failure_at is None


def test_counters_that_fall_begin_anew() -> None:
    reports = Reports()
    reports.report(100.0, answers(500))
    reports.report(101.0, answers(20), fives(3))
    assert (reports.first(0.0).answers, reports.first(0.0).failures) == (23, 3)


def test_a_gap_leaves_out_what_grew_in_it() -> None:
    reports = Reports()
    reports.report(100.0, answers(1))
    after = 101.0 + LONGEST_GAP
    reports.report(after, answers(10), latencies({10: 9}))
    assert reports.first(0.0) == RevisionFigures()
    reports.report(after + 1, answers(12))
    assert reports.first(0.0).answers == 2


def test_a_report_from_across_the_beginning_is_left_out() -> None:
    reports = Reports()
    for number in range(5):
        reports.report(100.5 + number, answers(10 * number))
    assert reports.first(102.0).answers == 20
    assert reports.figures(102.0).revisions[1].seconds == pytest.approx(2.0)


def test_all_proxies_together() -> None:
    reports = Reports(proxies=2)
    for number in range(11):
        for proxy in ("edge-1", "edge-2"):
            reports.report(100.0 + number, answers(5 * number), latencies({10: 4, 25: 1}), proxy=proxy)
    assert reports.first(0.0).answers == 100
    assert reports.first(0.0).seconds == pytest.approx(10.0)
    assert reports.first(0.0).latencies == {10.0: 80, 25.0: 20}


def test_a_revision_without_requests_is_known_to_have_none() -> None:
    reports = Reports()
    reports.report(100.0)
    reports.report(105.0)
    assert reports.first(0.0) == RevisionFigures(seconds=5.0)


def test_chosen_users_count_and_neither_the_preview_nor_copies() -> None:
    reports = Reports()
    reports.report(100.0)
    twins = [each for twin in ("preview", "mirror") for each in (answers(90, f"{SHOP_1}/{twin}"),)]
    reports.report(
        101.0, answers(1), fives(2, f"{SHOP_1}/manual"), *twins, latencies({1: 9}, f"{SHOP_1}/preview")
    )
    assert (reports.first(0.0).answers, reports.first(0.0).failures) == (3, 2)
    assert reports.first(0.0).latencies == {}


def test_resets_and_failed_connections() -> None:
    reports = Reports()
    reports.report(100.0)
    reports.report(
        101.0,
        counter("upstream_rq_rx_reset", 3),
        counter("upstream_cx_destroy_remote_with_active_rq", 2),
        counter("upstream_cx_connect_fail", 4),
        counter("upstream_cx_connect_timeout", 1),
    )
    assert (reports.first(0.0).resets, reports.first(0.0).connect_failures) == (5, 4)


@pytest.mark.parametrize(
    ("status", "fails"), [(0, 0), (2, 1), (4, 1), (5, 0), (12, 1), (13, 1), (14, 1), (15, 1)]
)
def test_a_grpc_status_may_be_a_failure(status: int, fails: int) -> None:
    reports = Reports()
    reports.report(100.0)
    reports.report(101.0, answers(10), counter("grpc.total", 10), counter(f"grpc.{status}", 1))
    assert (reports.first(0.0).answers, reports.first(0.0).failures) == (10, fails)


def test_an_answer_is_not_a_failure_twice() -> None:
    reports = Reports()
    reports.report(100.0)
    # 90 in order, 4 statuses of an instance, 3 that Envoy answered itself, and 3 plain 503 of an instance.
    reports.report(101.0, answers(94), fives(6), counter("grpc.total", 97), counter("grpc.14", 7))
    assert (reports.first(0.0).answers, reports.first(0.0).failures) == (100, 10)


def test_a_stream_that_fails_long_after_it_began() -> None:
    reports = Reports()
    reports.report(100.0)
    reports.report(101.0, answers(1))
    reports.report(102.0, answers(1), counter("grpc.total", 1), counter("grpc.13", 1))
    assert (reports.first(101.0).answers, reports.first(101.0).failures) == (1, 1)


def test_histograms_with_other_bounds_are_kept_by_bound() -> None:
    reports = Reports()
    reports.report(100.0)
    reports.report(101.0, latencies({7.5: 2, 10: 3}))
    kept = {bound: count for bound, count in reports.first(0.0).latencies.items() if count}
    assert kept == {7.5: 2, 10.0: 3}


def test_of_many_bounds_a_few_are_told_apart_and_no_answer_gets_faster() -> None:
    reports = Reports()
    reports.report(100.0)
    for number in range(100):
        reports.report(101.0 + number, latencies({50_000 + number * 10.5 + each: 1 for each in range(10)}))
    kept = reports.first(0.0).latencies
    assert len(kept) <= MAXIMUM_BOUNDS
    assert sum(kept.values()) == 1000
    assert min(bound for bound in kept if kept[bound]) >= 50_000


@pytest.mark.parametrize("bound", [float("nan"), -1.0])
def test_a_bound_that_is_none(bound: float) -> None:
    reports = Reports()
    reports.report(100.0)
    for number in range(100):
        reports.report(101.0 + number, latencies({bound: 1}))
    assert sum(reports.first(0.0).latencies.values()) == 100
    assert len(reports.first(0.0).latencies) == 1


def test_what_no_revision_answered() -> None:
    reports = Reports()

    def report(at: float, completed: int, failed: int, of_shop: int) -> None:
        reports.report(
            at,
            of_listener("downstream_rq_completed", completed),
            of_listener("downstream_rq_xx", failed, 5),
            of_listener("downstream_rq_completed", 99 * completed, of="edge/preview"),
            of_listener("downstream_rq_xx", 99 * completed, 5, of="edge/preview"),
            fives(of_shop),
        )

    report(100.0, completed=50, failed=9, of_shop=2)
    report(101.0, completed=150, failed=19, of_shop=5)
    assert (reports.figures(0.0).gateway_answers, reports.figures(0.0).gateway_failures) == (100, 7)
    # Envoy read the one counter a moment before the other.
    report(102.0, completed=150, failed=19, of_shop=6)
    report(103.0, completed=150, failed=20, of_shop=6)
    assert reports.figures(0.0).gateway_failures == 7


def test_what_envoy_answers_to_grpc_hides_nothing() -> None:
    reports = Reports()
    reports.report(100.0)
    # Three 503 that the client of a gRPC service saw as statuses, and two that no revision answered.
    statuses = (counter("grpc.total", 3), counter("grpc.14", 3))
    reports.report(101.0, of_listener("downstream_rq_xx", 2, 5), fives(3), *statuses)
    assert reports.figures(0.0).gateway_failures == 2


def test_two_envoys_under_one_id_make_no_requests_out_of_nothing() -> None:
    told = Reports()
    told.report(0.0, answers(1000))
    for second in range(1, 21):
        told.statistics.namesakes.note("edge-1", 1 + second % 2, float(second))
        told.report(float(second), answers(1000 if second % 2 else 500))
    # Until the older one is heard again after the newer one, they look like one that was restarted.
    assert told.first(0.0).answers <= 1000
    assert told.first(4.0).answers == 0


def test_a_revision_that_fell_silent_takes_little_room() -> None:
    told = Reports()
    told.report(0.0, answers(0))
    for half in range(1, 41):
        told.report(half / 2, answers(half))
    timeline = told.statistics.figures._services["shop"][1]
    assert len(timeline) > 30
    for second in range(30, 150, 10):
        told.report(second, answers(40))
    assert len(timeline) <= 3
    assert told.first(0.0).answers >= 30


def test_revisions_that_are_gone_are_forgotten() -> None:
    reports = Reports()
    reports.report(0.0)
    for number in range(300):
        reports.report(30.0 * (number + 1), answers(5, f"bluegreen/shop/{number + 1}"))
    held = reports.statistics.figures._services["shop"]
    assert len(held) <= KEPT / 30 + 3


@pytest.mark.parametrize(
    ("interval", "last", "silent"),
    [
        (1.0, 2.9, False),
        (1.0, 3.1, True),
        (4.0, 11.0, False),
        (4.0, 13.0, True),
        (10.0, 14.0, False),
        (10.0, 16.0, True),
    ],
)
def test_a_proxy_is_silent_after_three_of_its_own_intervals(
    interval: float, last: float, *, silent: bool
) -> None:
    statistics = ProxyStatistics("edge-1", "edge")
    assert statistics.is_silent(0.0)
    for number in range(4):
        statistics.report(100.0 + number * interval, [])
    assert statistics.is_silent(100.0 + 3 * interval + last) is silent
