"""Rates, latencies and totals from reports that come and go."""

from __future__ import annotations

import pytest

from bluegreen.switches.envoy.metrics.totals import RunningTotal
from bluegreen.switches.envoy.metrics.window import WINDOW, LatencyWindow, RateWindow, merged


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


def test_histograms_with_other_buckets_add_up() -> None:
    assert merged([{1.0: 2, 5.0: 1}, {2.0: 4, 5.0: 1}]) == {1.0: 2, 2.0: 4, 5.0: 2}


def test_only_recent_latencies_count() -> None:
    latency = LatencyWindow()
    latency.report(0.0, {1000.0: 9})
    latency.report(20.0, {5.0: 1})
    assert list(latency.recent(20.0)) == [{5.0: 1}]
