"""A version is watched: streaks, sources, and how soon a bad one is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bluegreen.model.analysis import Analysis, CommandSource, Comparing, WebhookSource
from bluegreen.model.condition import parse_condition
from bluegreen.model.revision_figures import RevisionFigures
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout.analysis.streak import Tally
from bluegreen.rollout.analysis.watch import Watch
from tests.rollout.analysis.figures import ACTIVE, CANDIDATE, Traffic

BEGAN = 1_000.0
ERRORS = parse_condition("success_rate >= 99")
SLOW = parse_condition("p99 <= 250ms")

GOOD = RevisionFigures(answers=100, latencies={10.0: 100})
BAD = RevisionFigures(answers=100, failures=50, latencies={10.0: 100})
STUCK = RevisionFigures(answers=100, latencies={250.0: 0, 1_000.0: 100})


def looked(**settings: Any) -> Analysis:
    """At whole seconds; two failures in a row count."""
    return Analysis(**{"interval": 1.0, "failures": 2, "errors": 3, **settings})


def watch(analysis: Analysis, active: int | None = ACTIVE) -> Watch:
    return Watch(analysis, CANDIDATE, active, BEGAN)


def seconds(watched: Watch, *answered: RevisionFigures, traffic: Traffic | None = None) -> list[Verdict]:
    """A look after each second of these answers of the candidate; the verdict after each."""
    traffic = traffic if traffic is not None else Traffic()
    verdicts = []
    for each in answered:
        now = BEGAN + len(traffic.seconds) + 1
        traffic.add(now, candidate=each, active=GOOD)
        assert watched.is_look_due(now)
        watched.look(traffic.since, now)
        verdicts.append(watched.verdict)
    return verdicts


def test_before_the_first_look_nothing_is_known() -> None:
    watched = watch(looked(conditions=(ERRORS,)))
    assert watched.verdict is Verdict.INCONCLUSIVE
    assert (watched.findings, watched.first_bad_at) == ((), None)
    assert watched.next_look_at() == BEGAN


def test_a_good_version_passes() -> None:
    watched = watch(looked(conditions=(ERRORS, SLOW)))
    assert seconds(watched, GOOD, GOOD) == [Verdict.PASS, Verdict.PASS]
    assert [each.name for each in watched.findings] == [ERRORS.text, SLOW.text, "gateway_error_rate <= 1"]
    assert watched.tally[ERRORS.text] == Tally(passes=2)
    assert watched.next_look_at() == BEGAN + 3


def test_one_bad_look_is_not_yet_a_failure_and_two_are_for_good() -> None:
    watched = watch(looked(conditions=(ERRORS,), window=1.0))
    verdicts = seconds(watched, GOOD, BAD, GOOD, BAD, BAD, GOOD, GOOD)
    assert verdicts[1] is Verdict.INCONCLUSIVE
    assert verdicts[2] is Verdict.PASS
    assert verdicts[4:] == [Verdict.FAIL] * 3
    assert watched.tally[ERRORS.text] == Tally(passes=4, fails=3)


def test_while_something_has_begun_to_fail_it_is_undecided() -> None:
    watched = watch(looked(conditions=(ERRORS,), window=1.0))
    seconds(watched, BAD)
    assert watched.is_undecided
    watched = watch(looked(conditions=(ERRORS,), window=1.0))
    seconds(watched, GOOD)
    assert not watched.is_undecided


def test_a_look_that_shows_nothing_excuses_no_failure() -> None:
    watched = watch(looked(conditions=(ERRORS,), window=1.0))
    assert seconds(watched, BAD, RevisionFigures(answers=5), BAD)[-1] is Verdict.FAIL


def test_the_window_does_not_reach_back_before_the_stretch() -> None:
    traffic = Traffic()
    for second in range(10):
        traffic.add(BEGAN - second, candidate=BAD, active=GOOD)
    watched = watch(looked(conditions=(ERRORS,)))
    traffic.add(BEGAN + 1, candidate=GOOD, active=GOOD)
    watched.look(traffic.since, BEGAN + 1)
    assert watched.verdict is Verdict.PASS


def test_told_to_reach_back_it_judges_the_answers_shortly_before_it_too() -> None:
    traffic = Traffic()
    for second in (-5, -4, -3, -2):
        traffic.add(BEGAN + second, candidate=BAD, active=GOOD)
    traffic.add(BEGAN + 0.5, candidate=replace(GOOD, failures=2), active=GOOD)
    rate = parse_condition("request_rate >= 80")
    watched = watch(looked(conditions=(ERRORS, rate), window=2.0))
    watched.reach_back()
    traffic.seconds[BEGAN - 0.5] = {CANDIDATE: GOOD}
    watched.look(traffic.since, BEGAN + 1)
    found = {each.name: each for each in watched.findings}
    assert found[ERRORS.text].summary.startswith("success_rate 99 % of 200 answers")
    assert found[rate.text].summary.startswith("request_rate 100/s of 100 answers")
    assert watched.first_bad_at is None
    for second in range(1, 5):
        traffic.add(BEGAN + second, candidate=GOOD, active=GOOD)
    watched.look(traffic.since, BEGAN + 4)
    assert watched.findings[0].summary.startswith("success_rate 100 % of 200 answers"), "no further than that"


def test_a_proxy_that_is_not_heard_makes_it_inconclusive() -> None:
    watched = watch(looked(conditions=(ERRORS,)))
    assert seconds(watched, GOOD, traffic=Traffic(unheard=("edge-1",))) == [Verdict.INCONCLUSIVE]


def test_the_first_bad_answer_is_known_although_it_has_left_the_window() -> None:
    watched = watch(looked(conditions=(ERRORS,), window=3.0))
    one = replace(GOOD, failures=1)
    seconds(watched, GOOD, one, *[GOOD] * 10, BAD, BAD)
    assert watched.verdict is Verdict.FAIL
    assert watched.first_bad_at == BEGAN + 2


def test_of_what_turns_slow_the_first_look_that_found_it_is_known() -> None:
    watched = watch(looked(conditions=(SLOW,), window=1.0))
    assert seconds(watched, replace(GOOD, failures=1), GOOD, STUCK, STUCK)[-1] is Verdict.FAIL
    assert watched.first_bad_at == BEGAN + 3


def test_after_a_rollout_relative_conditions_are_left_out() -> None:
    analysis = looked(conditions=(parse_condition("p99 <= 1.2 x active"), ERRORS), comparing=Comparing())
    watched = watch(analysis, active=None)
    seconds(watched, GOOD)
    assert [each.name for each in watched.findings] == [ERRORS.text, "gateway_error_rate <= 1"]
    assert watched.verdict is Verdict.PASS


# --- sources ---

HOOK = WebhookSource("ask", "http://localhost/", interval=10.0)
COMMAND = CommandSource("smoke", ("true",), interval=4.0)


def answer(name: str, verdict: Verdict) -> Finding:
    return Finding(name, verdict, "so it said")


def test_each_source_is_asked_by_its_interval_and_not_while_it_is_asked() -> None:
    watched = watch(looked(sources=(HOOK, COMMAND)))
    assert watched.due_sources(BEGAN) == [HOOK, COMMAND]
    assert watched.due_sources(BEGAN + 60) == []
    watched.take("smoke", answer("smoke", Verdict.PASS), BEGAN + 1)
    assert watched.due_sources(BEGAN + 4.9) == []
    assert watched.due_sources(BEGAN + 5) == [COMMAND]
    watched.look(Traffic().since, BEGAN)
    watched.take("ask", answer("ask", Verdict.PASS), BEGAN - 9.5)
    assert watched.next_look_at() == BEGAN + 0.5


def test_every_source_must_have_answered() -> None:
    watched = watch(looked(sources=(HOOK, COMMAND)))
    seconds(watched, GOOD)
    assert watched.verdict is Verdict.INCONCLUSIVE
    watched.due_sources(BEGAN)
    assert watched.is_undecided, "they are under way"
    watched.take("ask", answer("ask", Verdict.PASS), BEGAN + 1)
    watched.take("smoke", answer("smoke", Verdict.PASS), BEGAN + 1)
    assert watched.verdict is Verdict.PASS
    assert "has not answered yet" not in {each.summary for each in watched.findings}


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ("ff", Verdict.FAIL),
        ("fpf", Verdict.INCONCLUSIVE),
        ("fef", Verdict.FAIL),
        ("ee", Verdict.INCONCLUSIVE),
        ("eee", Verdict.ERROR),
        ("eeep", Verdict.PASS),
        ("eefe", Verdict.INCONCLUSIVE),
        ("eeff", Verdict.FAIL),
        ("ffp", Verdict.FAIL),
    ],
)
def test_answers_in_a_row(answers: str, verdict: Verdict) -> None:
    words = {"f": Verdict.FAIL, "p": Verdict.PASS, "e": Verdict.ERROR}
    watched = watch(looked(sources=(HOOK,)))
    seconds(watched, GOOD)
    for number, each in enumerate(answers):
        watched.take("ask", answer("ask", words[each]), BEGAN + 10 * number)
    assert watched.verdict is verdict


def test_a_source_that_is_not_known() -> None:
    with pytest.raises(KeyError):
        watch(looked()).take("ask", answer("ask", Verdict.PASS), BEGAN)


# --- the comparison ---


def test_the_comparison_raises_its_alarm_at_once_and_goes_on_in_the_next_stretch() -> None:
    analysis = looked(comparing=Comparing(), failures=9)
    watched = watch(analysis)
    few = replace(GOOD, failures=1)
    assert Verdict.FAIL not in seconds(watched, GOOD, few)
    following, traffic = watched.again(ACTIVE, BEGAN), Traffic()
    assert seconds(following, few, traffic=traffic)[-1] is Verdict.PASS
    finding = following.findings[-1]
    assert finding.name == "compare: statistical"
    assert finding.summary.startswith(
        "0.667 % of 300 answers failed, of the active revision's 0.000 % of 300"
    )
    assert seconds(following, BAD, traffic=traffic)[-1] is Verdict.FAIL
    assert following.first_bad_at is not None
    afresh = following.again(ACTIVE, BEGAN)
    assert seconds(afresh, GOOD) == [Verdict.PASS], "who goes on after an alarm begins anew"


def test_the_comparison_counts_each_answer_once_however_long_it_takes() -> None:
    watched, traffic = watch(looked(comparing=Comparing())), Traffic()
    one = RevisionFigures(answers=1)
    for second in range(1, 301):
        traffic.add(BEGAN + second, candidate=one, active=one)
        traffic.seconds.pop(BEGAN + second - 120, None)  # what is older is forgotten
        if second % 3 == 0:
            watched.look(traffic.since, BEGAN + second)
    summaries = {each.name: each.summary for each in watched.findings}
    assert "of 300 answers failed" in summaries["compare: statistical"]


def test_figures_that_fall_count_nothing_twice() -> None:
    watched, traffic = watch(looked(comparing=Comparing())), Traffic()
    seconds(watched, GOOD, GOOD, GOOD, traffic=traffic)
    kept = dict(traffic.seconds)
    traffic.seconds = {until: second for until, second in kept.items() if until == BEGAN + 3}
    watched.look(traffic.since, BEGAN + 4)
    assert "of 300 answers failed" in watched.findings[-1].summary
    traffic.seconds = kept
    watched.look(traffic.since, BEGAN + 5)
    assert "of 300 answers failed" in watched.findings[-1].summary


# --- how soon ---


@pytest.mark.parametrize(
    ("per_second", "every", "good_before", "within"),
    [
        (30, 20, 0, 10),
        (30, 20, 7, 10),
        (30, 20, 60, 10),
        (30, 2, 0, 3),
        (30, 2, 60, 3),
        (150, 2, 0, 3),
        (150, 2, 60, 3),
        (300, 20, 0, 3),
    ],
)
def test_a_bad_version_is_told_within_so_many_reports_of_its_first_error(
    per_second: int, every: int, good_before: int, within: int
) -> None:
    """With the defaults, and a report every second."""
    analysis = Analysis(conditions=(ERRORS,))
    watched, traffic = watch(analysis), Traffic()
    good = RevisionFigures(answers=per_second, latencies={10.0: per_second})
    answered, told_after = 0, None
    for report in range(1, good_before + within + 1):
        failures = (answered + per_second) // every - answered // every if report > good_before else 0
        answered += per_second if report > good_before else 0
        traffic.add(BEGAN + report, candidate=replace(good, failures=failures), active=good)
        while watched.next_look_at() < BEGAN + report + 1:
            watched.look(traffic.since, max(watched.next_look_at(), BEGAN + report))
        if told_after is None and watched.verdict is Verdict.FAIL:
            told_after = report - good_before
    assert told_after is not None
    assert watched.first_bad_at == BEGAN + good_before + 1
