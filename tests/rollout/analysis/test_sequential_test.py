"""The comparison of error counts: sound at every look, and quick."""

from __future__ import annotations

import random
from math import comb, exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.false_alarms import Load, peeking, sequential
from bluegreen.model.analysis import Comparing
from bluegreen.rollout.analysis.sequential_test import RATIOS, Counts, SequentialTest


def looks(test: SequentialTest, candidate: Counts, active: Counts, most: int = 1000) -> int:
    """Looks until the alarm, each of which finds the same counts."""
    for look in range(1, most + 1):
        test = test.add(candidate, active)
        if test.alarm:
            return look
    return most + 1


def test_equal_counts_are_no_evidence() -> None:
    test = SequentialTest(Comparing())
    for _ in range(100):
        test = test.add(Counts(100, 2), Counts(900, 18))
    assert test.evidence < 1
    assert not test.alarm
    assert (test.candidate, test.active) == (Counts(10_000, 200), Counts(90_000, 1_800))


def test_a_worse_version_is_told_and_a_better_one_is_not() -> None:
    assert looks(SequentialTest(Comparing()), Counts(100, 5), Counts(900, 9)) <= 3
    assert looks(SequentialTest(Comparing()), Counts(100, 0), Counts(900, 90)) > 1000


def test_an_outage_of_both_is_no_alarm() -> None:
    assert looks(SequentialTest(Comparing()), Counts(100, 100), Counts(900, 900)) > 1000


def test_only_more_than_so_many_times_counts() -> None:
    twice = Counts(1000, 20), Counts(1000, 10)
    assert looks(SequentialTest(Comparing(at_least=1.0)), *twice) < 20
    assert looks(SequentialTest(Comparing(at_least=2.0)), *twice) > 1000


def test_the_alarm_is_not_taken_back() -> None:
    test = SequentialTest(Comparing()).add(Counts(100, 50), Counts(100, 0))
    assert test.alarm
    for _ in range(100):
        test = test.add(Counts(1000, 0), Counts(1000, 50))
    assert test.evidence < 1
    assert test.alarm


@pytest.mark.parametrize(
    ("candidate", "active"),
    [(Counts(0, 0), Counts(100, 50)), (Counts(100, 50), Counts(0, 0)), (Counts(10, 0), Counts(10, 0))],
)
def test_what_says_nothing_is_no_evidence(candidate: Counts, active: Counts) -> None:
    assert SequentialTest(Comparing()).add(candidate, active).evidence == 1.0


def test_evidence_may_grow_beyond_all_numbers() -> None:
    test = SequentialTest(Comparing()).add(Counts(10**6, 10**6), Counts(10**6, 0))
    assert test.evidence == float("inf")
    assert test.alarm


@settings(max_examples=300, deadline=None)
@given(
    candidate=st.integers(1, 12),
    active=st.integers(1, 12),
    at_least=st.sampled_from([1.0, 1.3, 2.0, 7.0]),
    truth=st.floats(0.05, 1.0),
    data=st.data(),
)
def test_one_look_is_never_expected_to_add_evidence(
    candidate: int, active: int, at_least: float, truth: float, data: st.DataObject
) -> None:
    """What the proof says, counted out: under the hypothesis, with errors as frequent as may be."""
    failures = data.draw(st.integers(1, candidate + active))
    odds = at_least * truth
    chances = {
        part: comb(candidate, part) * comb(active, failures - part) * odds**part
        for part in range(max(0, failures - active), min(failures, candidate) + 1)
    }
    test = SequentialTest(Comparing(at_least=at_least))
    for alternative in range(len(RATIOS)):
        expected = 0.0
        for part, chance in chances.items():
            seen = test.add(Counts(candidate, part), Counts(active, failures - part))
            expected += chance * exp(seen.log_ratios[alternative])
        assert expected / sum(chances.values()) <= 1 + 1e-9


@pytest.mark.parametrize("weight", [10, 50, 90])
def test_equal_versions_are_seldom_told_apart_however_often_one_looks(weight: int) -> None:
    """Simulated with a seed, so that it ends the same each time; `python -m bench.false_alarms` does more."""
    load, chance = Load(100, weight, candidate=0.02, active=0.02), random.Random(5)
    alarms = [sequential(load.seconds(chance, 100), Comparing(false_alarms=0.1)) for _ in range(200)]
    assert sum(alarm is not None for alarm in alarms) <= 20


def test_a_test_for_one_look_would_not_do() -> None:
    load, chance = Load(100, 10, candidate=0.02, active=0.02), random.Random(5)
    alarms = [peeking(load.seconds(chance, 300)) for _ in range(100)]
    assert sum(alarm is not None for alarm in alarms) > 5, "its promise is one in a hundred"


@pytest.mark.parametrize(
    ("load", "looks"),
    [
        (Load(100, 10, candidate=0.02, active=0.01), 300),
        (Load(100, 50, candidate=0.02, active=0.01), 120),
        (Load(100, 10, candidate=0.05, active=0.001), 20),
        (Load(1000, 10, candidate=0.05, active=0.001), 4),
    ],
)
def test_a_worse_version_is_told_soon(load: Load, looks: int) -> None:
    chance = random.Random(5)
    alarms = [sequential(load.seconds(chance, looks), Comparing()) for _ in range(50)]
    assert sum(alarm is not None for alarm in alarms) >= 35
