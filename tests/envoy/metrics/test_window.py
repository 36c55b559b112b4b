"""Rates, latencies and totals from reports that come and go."""

from __future__ import annotations

import pytest

from bluegreen.switches.envoy.metrics.totals import RunningTotal
from bluegreen.switches.envoy.metrics.window import WINDOW, LatencyWindow, RateWindow, merged, quantile


def test_a_total_goes_on_when_its_envoy_restarts() -> None:
    total = RunningTotal()
    for value in (10, 25, 3, 3, 7):
        total.report(value)
    assert total.value == 25 + 7


def test_a_rate_is_taken_over_the_window_only() -> None:
    rate = RateWindow()
    for second in range(30):
        rate.report(float(second), second * second)
    assert rate.per_second(29.0) == pytest.approx((29**2 - 25**2) / 4)
    assert rate.per_second(29.0 + WINDOW + 1) == 0.0, "old reports say nothing about now"


def test_one_report_is_no_rate() -> None:
    rate = RateWindow()
    rate.report(1.0, 1000)
    assert rate.per_second(1.0) == 0.0


def test_quantiles_interpolate_within_a_bucket() -> None:
    histogram = {10.0: 50, 20.0: 50}
    assert quantile(histogram, 0.5) == pytest.approx(10.0)
    assert quantile(histogram, 0.75) == pytest.approx(15.0)
    assert quantile(histogram, 1.0) == pytest.approx(20.0)
    assert quantile({}, 0.5) is None


def test_what_lies_beyond_the_last_bound_is_taken_at_it() -> None:
    assert quantile({1.0: 1, 60_000.0: 1, float("inf"): 8}, 0.99) == 60_000.0


def test_histograms_with_other_buckets_add_up() -> None:
    assert merged([{1.0: 2, 5.0: 1}, {2.0: 4, 5.0: 1}]) == {1.0: 2, 2.0: 4, 5.0: 2}


def test_only_recent_latencies_count() -> None:
    latency = LatencyWindow()
    latency.report(0.0, {1000.0: 9})
    latency.report(20.0, {5.0: 1})
    assert list(latency.recent(20.0)) == [{5.0: 1}]
