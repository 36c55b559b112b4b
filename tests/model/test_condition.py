"""Conditions as people write them, and what they get wrong."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bluegreen.model.condition import MAXIMUM_TEXT, Comparison, Condition, Metric, parse_condition
from bluegreen.model.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "metric", "comparison", "threshold", "of_active"),
    [
        ("success_rate >= 99.9", Metric.SUCCESS_RATE, Comparison.AT_LEAST, 99.9, False),
        ("success_rate >= 99.9 %", Metric.SUCCESS_RATE, Comparison.AT_LEAST, 99.9, False),
        ("error_rate<1%", Metric.ERROR_RATE, Comparison.LESS, 1.0, False),
        ("error_rate <= 0", Metric.ERROR_RATE, Comparison.AT_MOST, 0.0, False),
        ("  p99  <=  250ms ", Metric.P99, Comparison.AT_MOST, 250.0, False),
        ("p90 <= 0.5 s", Metric.P90, Comparison.AT_MOST, 500.0, False),
        ("p50 < 20", Metric.P50, Comparison.LESS, 20.0, False),
        ("p99 <= 1.2 x active", Metric.P99, Comparison.AT_MOST, 1.2, True),
        ("p99 <= 1.2x active", Metric.P99, Comparison.AT_MOST, 1.2, True),
        ("error_rate <= active", Metric.ERROR_RATE, Comparison.AT_MOST, 1.0, True),
        ("request_rate >= 5", Metric.REQUEST_RATE, Comparison.AT_LEAST, 5.0, False),
        ("request_rate <= 500/s", Metric.REQUEST_RATE, Comparison.AT_MOST, 500.0, False),
        ("gateway_error_rate <= 0.5", Metric.GATEWAY_ERROR_RATE, Comparison.AT_MOST, 0.5, False),
    ],
)
def test_forms(text: str, metric: Metric, comparison: Comparison, threshold: float, of_active: bool) -> None:
    assert parse_condition(text) == Condition(text.strip(), metric, comparison, threshold, of_active)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sucess_rate >= 99", "column 1: expected `success_rate` perhaps, or another of the metrics"),
        ("cheese >= 99", "column 1: expected one of the metrics success_rate, error_rate"),
        ("", "column 1: expected one of the metrics"),
        ("p99", "column 4: expected one of <, <=, > and >=, found the end"),
        ("p99 =< 250", "column 5: expected one of <, <=, > and >=, found '='"),
        ("p99 <= fast", "column 8: expected a latency"),
        ("p99 <= 250 apples", "column 12: expected `ms` or `s`, `x active` or the end, found 'apples'"),
        ("p99 <= 250%", "column 11: expected `ms` or `s`"),
        ("success_rate >= 99 ms", "column 20: expected `%`"),
        ("p99 <= 1.2 x", "column 13: expected `active`"),
        ("p99 <= 1.2 x passive", "column 14: expected `active`"),
        ("p99 <= active 5", "column 15: expected the end, found '5'"),
        ("p99 <= 0 x active", "column 8: a factor is more than 0"),
        ("p99 <= 5000s", "column 8: a latency (250ms, 0.5s; a bare number is ms) is at most 3600000"),
        ("success_rate >= 101", "column 17: a percentage is at most 100"),
        ("success_rate >= -1", "column 17: expected a percentage"),
        ("error_rate <= nan", "column 15: expected a percentage"),
        ("p99 <= \u0663", "column 8: expected a latency"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_condition(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("error_rate > 5", "write `error_rate <= 5`"),
        ("success_rate < 99.9 %", "write `success_rate >= 99.9 %`"),
        ("p99 >= 1.5 x active", "write `p99 < 1.5 x active`"),
        ("success_rate >= 0", "always holds"),
        ("error_rate <= 100", "always holds"),
        ("request_rate >= 0", "always holds"),
        ("success_rate > 100", "never holds"),
        ("error_rate < 0", "never holds"),
        ("p99 <= 0", "never holds"),
        ("gateway_error_rate <= active", "no such figure"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_condition(text)
    assert said in str(refused.value)


def test_a_long_text_is_not_read() -> None:
    with pytest.raises(InvalidInput, match="at most 200 characters"):
        parse_condition("p99 <= 250" + " " * MAXIMUM_TEXT)


_WORDS = st.sampled_from(
    [
        *Metric,
        *Comparison,
        "active",
        "x",
        "%",
        "ms",
        "s",
        "/s",
        "1.2",
        "99",
        "0",
        "100",
        "1e9",
        "=",
        "nan",
        "-1",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(_WORDS, max_size=6).map(" ".join)))
@example("p99 <= \u00b2")
def test_nothing_but_invalid_input_is_raised_and_every_threshold_is_finite(text: str) -> None:
    try:
        condition = parse_condition(text)
    except InvalidInput:
        return
    assert math.isfinite(condition.threshold)
    assert condition.threshold >= 0
    assert parse_condition(condition.text) == condition
