"""Quantiles of histograms."""

from __future__ import annotations

import pytest

from bluegreen.model.latency import BEYOND, is_beyond, quantile


def test_quantiles_interpolate_within_a_bucket() -> None:
    histogram = {10.0: 50, 20.0: 50}
    assert quantile(histogram, 0.5) == pytest.approx(10.0)
    assert quantile(histogram, 0.75) == pytest.approx(15.0)
    assert quantile(histogram, 1.0) == pytest.approx(20.0)
    assert quantile({}, 0.5) is None
    assert quantile({10.0: 0}, 0.5) is None


def test_what_lies_beyond_the_last_bound_is_taken_at_it_and_can_be_told() -> None:
    histogram = {1.0: 1, 60_000.0: 1, BEYOND: 8}
    assert quantile(histogram, 0.99) == 60_000.0
    assert is_beyond(histogram, 0.99)
    assert not is_beyond(histogram, 0.2)
    assert not is_beyond({}, 0.5)


def test_buckets_may_come_in_any_order() -> None:
    assert quantile({20.0: 50, 10.0: 50}, 0.75) == pytest.approx(15.0)
