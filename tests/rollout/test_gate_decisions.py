"""What gates say, and what that leads to: nothing passes untested, and a bad version turns back by itself."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from bluegreen.model.acceptance_test import HttpTest
from bluegreen.model.analysis import Analysis, OnFinding
from bluegreen.model.check import Check, CheckKind
from bluegreen.model.condition import parse_condition
from bluegreen.model.errors import Refused
from bluegreen.model.gates import Gates
from bluegreen.model.hook import Hook, Moment
from bluegreen.model.rollout import Outcome
from bluegreen.model.strategy import Step, Strategy
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout import commands, gate_commands
from bluegreen.rollout.analysis.observation import Observation
from bluegreen.rollout.analysis.stretch import Stretch, stretch_of
from bluegreen.rollout.refusals import possible
from bluegreen.rollout.wanted_traffic import wanted_traffic
from tests.rollout.facts import TIMED_STEPS, Story, backend, proxy, report

TESTED = Gates(tests=(HttpTest("home"),))
WATCHED = Gates(analysis=Analysis(conditions=(parse_condition("success_rate >= 99"),), window=10.0))
APPROVED = Strategy((Step(10, 5.0, approval=True), Step(100)))


def hooked(moment: Moment) -> Gates:
    return Gates(hooks=(Hook("ask", moment, command=("true",)),))


def open_check(story: Story) -> Check:
    (check,) = [each for each in story.aggregate.checks if each.is_open]
    return check


def answer(story: Story, verdict: Verdict, summary: str = "500, wanted 200") -> str:
    findings = (Finding("home", verdict, summary),)
    check = open_check(story).id
    return story.command(partial(gate_commands.conclude, check=check, findings=findings, verdict=verdict))


def saw(story: Story, verdict: Verdict, summary: str = "success_rate 95 %", **more: object) -> None:
    stretch = stretch_of(story.aggregate)
    assert stretch is not None
    finding = Finding("success_rate >= 99", verdict, summary)
    story.observation = Observation(stretch, stretch.since, verdict, findings=(finding,), **more)


def at_ten_percent(gates: Gates, strategy: Strategy = TIMED_STEPS) -> Story:
    """v1 is active, v2 has 10 %, acknowledged by all."""
    story = Story(strategy, gates)
    story.release("v1")
    story.deploy("v2")
    story.decide(story.all_agree())
    story.promote()
    story.decide(story.all_agree())
    assert story.aggregate.open_rollout is not None
    assert story.aggregate.open_rollout.percent == 10
    return story


# --- tests ---


def test_a_deployment_is_ready_only_once_its_tests_have_passed() -> None:
    story = Story(gates=TESTED)
    story.deploy("v1")
    wait = story.decide(story.all_agree())
    assert "is being tested" in wait.sentence
    assert story.status(1) == "deploying"
    assert open_check(story).kind is CheckKind.TESTS
    with pytest.raises(Refused):
        story.promote()
    answer(story, Verdict.PASS)
    story.decide(story.all_agree())
    assert story.status(1) == "ready"


def test_tests_begin_when_every_proxy_has_the_preview_and_not_before() -> None:
    story = Story(gates=TESTED)
    story.deploy("v1")
    lags = replace(proxy("edge-2", 1000.0, 1), routes_acknowledged_at=None)
    story.decide(report(proxy("edge-1", 1000.0, 1), lags))
    assert story.aggregate.checks == ()


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE])
def test_a_version_that_does_not_pass_has_failed_with_the_reason(verdict: Verdict) -> None:
    story = Story(gates=TESTED)
    story.deploy("v1")
    story.decide(story.all_agree())
    answer(story, verdict)
    story.one(story.all_agree())
    assert story.status(1) == "failed"
    assert "home: 500, wanted 200" in story.aggregate.deployment(1).note
    with pytest.raises(Refused):
        story.promote()


def test_a_version_that_dies_of_its_tests_has_failed_them_at_once() -> None:
    story = Story(gates=TESTED)
    story.deploy("v1")
    story.decide(story.all_agree())
    answer(story, Verdict.FAIL)
    dead = replace(proxy("edge-1", story.now, 1), backends={1: backend(1, story.now, healthy=0)})
    assert "failed its tests" in story.one(report(dead))
    assert story.status(1) == "failed"


def test_an_abort_ends_the_wait_for_the_tests_and_their_answer_comes_too_late() -> None:
    story = Story(gates=TESTED)
    story.deploy("v1")
    story.decide(story.all_agree())
    check = open_check(story)
    story.command(commands.abort)
    assert [each.verdict for each in story.aggregate.checks] == [Verdict.INCONCLUSIVE]
    late = story.command(partial(gate_commands.conclude, check=check.id, findings=(), verdict=Verdict.PASS))
    assert "Nobody waits" in late
    assert story.status(1) == "failed"


def test_tests_that_are_run_again_decide_again() -> None:
    story = Story(gates=TESTED)
    story.deploy("v1")
    story.decide(story.all_agree())
    answer(story, Verdict.PASS)
    story.decide(story.all_agree())
    story.now += 10
    story.command(partial(gate_commands.run_tests, active=False))
    assert story.status(1) == "deploying"
    again = story.command(partial(gate_commands.run_tests, active=False))
    assert "already" in again
    assert open_check(story).wanted_at == story.now
    answer(story, Verdict.FAIL)
    story.decide(story.all_agree())
    assert story.status(1) == "failed"


def test_tests_of_the_active_version_change_nothing_else() -> None:
    story = Story(gates=TESTED)
    story.aggregate = replace(story.aggregate, service=replace(story.aggregate.service, gates=Gates()))
    story.release("v1")
    story.aggregate = replace(story.aggregate, service=replace(story.aggregate.service, gates=TESTED))
    story.command(partial(gate_commands.run_tests, active=True))
    assert open_check(story).kind is CheckKind.TESTS_OF_ACTIVE
    answer(story, Verdict.FAIL)
    story.decide(story.all_agree())
    assert story.status(1) == "active"


def test_as_many_instances_must_be_healthy_as_the_service_says() -> None:
    story = Story(gates=Gates(min_healthy=50.0))
    story.deploy("v1")
    story.decide(report(replace(proxy("edge-1", 1000.0), backends={1: backend(1, 1000.0, healthy=1)})))
    assert story.status(1) == "ready"


# --- hooks ---


def test_nothing_is_told_to_the_proxies_before_the_hooks_before_a_deployment_have_passed() -> None:
    story = Story(gates=hooked(Moment.BEFORE_DEPLOY))
    story.deploy("v1")
    assert wanted_traffic(story.aggregate).backends == ()
    assert "hooks" in story.decide(story.all_agree()).sentence
    story.now += 500.0
    answer(story, Verdict.PASS)
    assert len(wanted_traffic(story.aggregate).backends) == 1
    story.decide(story.all_agree())
    assert story.status(1) == "ready"  # the time of the hook was not that of the proxies


def test_a_hook_before_the_deployment_that_refuses_fails_it_untouched() -> None:
    story = Story(gates=hooked(Moment.BEFORE_DEPLOY))
    story.deploy("v1")
    answer(story, Verdict.FAIL, "a freeze is on")
    story.one(story.all_agree())
    assert "a freeze is on" in story.aggregate.deployment(1).note
    assert wanted_traffic(story.aggregate).backends == ()


def test_no_weight_moves_before_the_hooks_before_the_shift_have_passed() -> None:
    story = Story(gates=hooked(Moment.BEFORE_SHIFT))
    story.deploy("v1")
    story.decide(story.all_agree())
    story.promote()
    assert "hooks" in story.decide(story.all_agree()).sentence
    assert [each.weight for each in wanted_traffic(story.aggregate).backends] == [0]
    answer(story, Verdict.PASS)
    story.decide(story.all_agree())
    assert story.status(1) == "active"


def test_a_hook_before_the_shift_that_refuses_turns_it_back() -> None:
    story = Story(gates=hooked(Moment.BEFORE_SHIFT))
    story.deploy("v1")
    story.decide(story.all_agree())
    story.promote()
    answer(story, Verdict.FAIL, "a freeze is on")
    story.decide(story.all_agree())
    assert story.status(1) == "ready"
    rollout = story.aggregate.rollout
    assert rollout is not None
    assert rollout.outcome is Outcome.ABORTED
    assert "a freeze is on" in (rollout.turning_back or "")


def test_an_abort_ends_the_wait_for_the_hooks_before_a_shift() -> None:
    story = Story(gates=hooked(Moment.BEFORE_SHIFT))
    story.deploy("v1")
    story.decide(story.all_agree())
    story.promote()
    check = open_check(story)
    story.command(commands.abort)
    assert [each.verdict for each in story.aggregate.checks] == [Verdict.INCONCLUSIVE]
    story.decide(story.all_agree())
    assert story.status(1) == "ready"
    story.promote()
    assert open_check(story).id > check.id, "a rollout has hooks of its own"


def test_hooks_hear_of_a_shift_a_rollback_and_a_retirement() -> None:
    moments = (Moment.AFTER_SHIFT, Moment.AFTER_ROLLBACK, Moment.AFTER_RETIRE)
    story = Story(gates=Gates(hooks=tuple(Hook(each, each, command=("true",)) for each in moments)))
    story.release("v1")
    story.release("v2")
    story.command(partial(commands.rollback))
    story.decide(story.all_agree())
    subjects = [(check.subject, check.deployment) for check in story.aggregate.checks]
    assert subjects == [("after-shift", 1), ("after-shift", 2), ("after-rollback", 1)]
    for _ in range(3):
        check = next(each for each in story.aggregate.checks if each.is_open)
        story.command(partial(gate_commands.conclude, check=check.id, findings=(), verdict=Verdict.PASS))
    for seconds in (100, 1900, 100, 100):
        story.now += seconds
        story.decide(story.all_agree())
    assert (open_check(story).subject, open_check(story).deployment) == ("after-retire", 2)


# --- analysis ---


def test_a_failed_analysis_turns_back_at_once_and_the_version_has_failed() -> None:
    story = at_ten_percent(WATCHED)
    saw(story, Verdict.FAIL, first_bad_at=998.5)
    sentence = story.one(story.all_agree())
    assert "turns back from 10 %" in sentence
    assert "success_rate 95 %" in sentence
    story.decide(story.all_agree())
    assert story.status(2) == "failed"
    rollout = story.aggregate.rollout
    assert rollout is not None
    assert (rollout.outcome, rollout.percent, rollout.first_bad_at) == (Outcome.FAILED, 0, 998.5)
    assert any("1.5 s after the first bad answer" in each for each in story.sentences)
    assert [(c.kind, c.verdict) for c in story.aggregate.checks] == [(CheckKind.ANALYSIS, Verdict.FAIL)]


def test_a_paused_rollout_is_watched_too() -> None:
    story = at_ten_percent(WATCHED)
    story.command(commands.pause)
    saw(story, Verdict.FAIL)
    story.decide(story.all_agree())
    assert story.status(2) == "failed"


def test_a_failure_can_pause_instead_and_then_promote_is_refused() -> None:
    analysis = WATCHED.analysis
    assert analysis is not None
    story = at_ten_percent(Gates(analysis=replace(analysis, on_fail=OnFinding.PAUSE)))
    saw(story, Verdict.FAIL)
    wait = story.decide(story.all_agree())
    assert "is paused at 10 %" in wait.sentence
    with pytest.raises(Refused, match="paused"):
        story.promote()
    assert len(story.aggregate.checks) == 1


def test_a_step_is_left_only_with_a_pass() -> None:
    story = at_ten_percent(WATCHED)
    saw(story, Verdict.PASS)
    story.now += 6.0
    story.decide(story.all_agree())
    assert story.status(2) == "active"
    (check,) = story.aggregate.checks_of(CheckKind.ANALYSIS, 2)
    assert (check.verdict, check.step) == (Verdict.PASS, 0)


def test_too_little_seen_pauses_after_a_whole_window_and_never_passes() -> None:
    story = at_ten_percent(WATCHED)
    saw(story, Verdict.INCONCLUSIVE, "12 answers, 38 too few")
    story.now += 6.0
    assert "38 too few" in story.decide(story.all_agree()).sentence
    assert story.aggregate.open_rollout is not None
    assert story.aggregate.open_rollout.paused is None
    story.now += 5.0
    assert "is paused" in story.decide(story.all_agree()).sentence
    assert story.status(2) == "shifting"


def test_who_promotes_what_is_inconclusive_takes_it_on_and_that_is_recorded() -> None:
    story = at_ten_percent(WATCHED)
    saw(story, Verdict.INCONCLUSIVE, "12 answers, 38 too few")
    story.now += 11.0
    story.decide(story.all_agree())
    assert possible(story.aggregate).startswith("Possible: resume, promote, promote --full, abort")
    story.promote()
    saw(story, Verdict.INCONCLUSIVE, "12 answers, 38 too few")
    story.decide(story.all_agree())
    assert story.status(2) == "active"
    (approval,) = story.aggregate.checks_of(CheckKind.APPROVAL, 2)
    assert "controller" in approval.summary


def test_resumed_it_watches_the_step_anew() -> None:
    story = at_ten_percent(WATCHED)
    before = stretch_of(story.aggregate)
    saw(story, Verdict.INCONCLUSIVE)
    story.now += 11.0
    story.decide(story.all_agree())
    story.command(commands.resume)
    after = stretch_of(story.aggregate)
    assert before is not None
    assert after == replace(before, since=story.now)


def test_a_source_that_does_not_answer_pauses() -> None:
    story = at_ten_percent(WATCHED)
    saw(story, Verdict.ERROR, "prometheus: connection refused")
    assert "connection refused" in story.decide(story.all_agree()).sentence
    assert story.aggregate.open_rollout is not None
    assert story.aggregate.open_rollout.paused is not None


def test_what_was_seen_of_another_step_says_nothing() -> None:
    story = at_ten_percent(WATCHED)
    stretch = Stretch(2, 1, 1.0, 2, 0)
    story.observation = Observation(stretch, 1.0, Verdict.FAIL)
    story.decide(story.all_agree())
    assert story.status(2) == "shifting"


def test_the_new_version_is_watched_while_the_old_one_is_warm_and_rolled_back_from() -> None:
    story = Story(gates=WATCHED)
    story.release("v1")
    assert stretch_of(story.aggregate) is None  # there is no way back
    story.release("v2")
    story.now += 20.0
    saw(story, Verdict.FAIL, first_bad_at=1018.0)
    sentence = story.one(story.all_agree())
    assert "takes all traffic back" in sentence
    assert "success_rate 95 %" in sentence
    story.decide(story.all_agree())
    assert (story.status(1), story.status(2)) == ("active", "draining")
    assert stretch_of(story.aggregate) is None  # it is not sent forth again


def test_there_is_no_way_back_to_what_nobody_sees_alive() -> None:
    story = Story(gates=WATCHED)
    story.release("v1")
    story.release("v2")
    saw(story, Verdict.FAIL)
    dead = replace(
        proxy("edge-1", story.now, 1, 2),
        backends={1: backend(1, story.now, healthy=0), 2: backend(2, story.now)},
    )
    story.decide(report(dead))
    assert story.status(2) == "active"
    assert len(list(story.aggregate.checks_of(CheckKind.ANALYSIS, 2))) == 1
    saw(story, Verdict.FAIL)
    story.decide(story.all_agree())
    assert story.status(1) == "active"


# --- approval ---


def test_a_step_that_asks_for_approval_is_left_only_with_it() -> None:
    story = at_ten_percent(Gates(), APPROVED)
    story.now += 100.0
    assert "bluegreen approve shop" in story.decide(story.all_agree()).sentence
    story.command(gate_commands.approve)
    assert "already" in story.command(gate_commands.approve)
    story.decide(story.all_agree())
    assert story.status(2) == "active"


def test_an_approval_shortens_no_pause() -> None:
    story = at_ten_percent(Gates(), APPROVED)
    story.command(gate_commands.approve)
    story.decide(story.all_agree())
    assert story.status(2) == "shifting"


def test_nothing_to_approve_says_so() -> None:
    story = at_ten_percent(Gates())
    with pytest.raises(Refused, match="asks for no approval"):
        story.command(gate_commands.approve)
