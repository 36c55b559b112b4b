"""Counts over time: edges, ageing, bounded memory."""

from __future__ import annotations

import pytest

from bluegreen.switches.envoy.metrics.counts import Figure
from bluegreen.switches.envoy.metrics.timeline import COARSE, FINE, FINE_KEPT, KEPT, Timeline

NOW = 10_000.0
MOST_SLOTS = 2 * (FINE_KEPT + COARSE) / FINE + KEPT / COARSE


def filled(seconds: int, *, every: float = 1.0) -> Timeline:
    """Up to NOW, one answer in each stretch."""
    timeline = Timeline()
    for number in range(round(seconds / every), 0, -1):
        began = NOW - number * every
        timeline.add(began, began + every, {Figure.ANSWERS: 1})
    return timeline


def answers(timeline: Timeline, since: float, now: float = NOW) -> int:
    return timeline.since(timeline.edge(since, now)).of(Figure.ANSWERS)


def test_what_began_before_is_left_out() -> None:
    timeline = filled(30)
    assert answers(timeline, NOW - 10) == 10
    assert answers(timeline, NOW - 10.5) == 10
    assert answers(timeline, NOW) == 0


def test_so_is_what_cannot_be_told_from_it() -> None:
    timeline = Timeline()
    timeline.add(100.1, 101.0, {Figure.ANSWERS: 1})
    timeline.add(100.3, 101.5, {Figure.ANSWERS: 2})
    timeline.add(100.5, 102.0, {Figure.ANSWERS: 4})
    assert [answers(timeline, since, 102.0) for since in (100.0, 100.2, 100.4)] == [7, 4, 4]


def test_one_report_alone_is_told_to_the_instant() -> None:
    timeline = Timeline()
    timeline.add(100.6, 101.6, {Figure.ANSWERS: 1})
    assert [answers(timeline, since, 102.0) for since in (100.6, 100.7)] == [1, 0]


def test_later_the_edge_is_coarser_and_nothing_is_lost_behind_it() -> None:
    timeline = filled(600)
    assert answers(timeline, NOW - 300) == 300
    assert answers(timeline, NOW - 303) == 300
    assert answers(timeline, NOW - FINE_KEPT - 1) == FINE_KEPT


def test_all_timelines_have_the_same_edges() -> None:
    often, seldom = filled(600, every=0.125), filled(600)
    for ago in range(1, 60):
        edge = often.edge(NOW - 10.1 * ago, NOW)
        assert often.since(edge).of(Figure.ANSWERS) == pytest.approx(8 * (NOW - edge))
        assert seldom.since(edge).of(Figure.ANSWERS) == int(NOW - edge)


@pytest.mark.parametrize("since", [0.0, -float("inf")])
def test_only_the_last_minutes_are_kept(since: float) -> None:
    timeline = filled(7200)
    assert answers(timeline, since) == KEPT
    assert answers(timeline, since, NOW + 2 * KEPT) == 0


def test_memory_is_bounded_however_often_is_reported() -> None:
    timeline = Timeline()
    for number in range(40_000):
        at = number / 8
        timeline.add(at - (number % 7), at, {Figure.ANSWERS: 1})
        assert len(timeline) <= MOST_SLOTS


def test_a_clock_that_is_set_back_leaves_nothing_in_the_future() -> None:
    timeline = filled(100)
    timeline.add(NOW - 5001, NOW - 5000, {Figure.ANSWERS: 1})
    assert len(timeline) == 1
    assert answers(timeline, 0.0, NOW - 5000) == 1


def test_the_first_failure_is_that_within_the_stretch() -> None:
    timeline = Timeline()
    for began, failed in ((100.0, True), (110.0, False), (120.0, True), (130.0, True)):
        timeline.add(began, began + 1, {Figure.ANSWERS: 1}, failed=failed)
    assert timeline.since(105.0).first_failure_at == 121.0
    assert timeline.since(100.0).first_failure_at == 101.0
    assert timeline.since(130.5).first_failure_at is None
