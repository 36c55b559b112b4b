"""Gates within a decision: what has to be asked before the next step, and what a verdict leads to. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from bluegreen.model.acceptance_test import AcceptanceTest, CommandTest
from bluegreen.model.analysis import Analysis, OnFinding
from bluegreen.model.check import Check, CheckKind
from bluegreen.model.deployment import Deployment
from bluegreen.model.event import What
from bluegreen.model.rollout import Rollout
from bluegreen.model.verdict import Verdict
from bluegreen.rollout import commands, proof
from bluegreen.rollout.analysis.observation import Observation
from bluegreen.rollout.analysis.stretch import stretch_of, way_back
from bluegreen.rollout.commands import PROMOTED
from bluegreen.rollout.draft import Change, Draft
from bluegreen.rollout.look import Look, Wait
from bluegreen.rollout.migration_guards import why_no_life


def tests_before_ready(draft: Draft, deployment: Deployment) -> Change | Wait | None:
    """Have the tests of a deployment run that every proxy can reach; None: they have passed, or there are
    none. It has not failed them: see `fail_by_tests`."""
    tests = draft.aggregate.service.gates.tests
    if not tests:
        return None
    check = next(draft.aggregate.checks_of(CheckKind.TESTS, deployment.revision), None)
    if check is None or check.wanted_at < deployment.status_since:
        count = f"{len(tests)} test{'' if len(tests) == 1 else 's'}"
        sentence = f"{deployment.version} is tested through the preview: {count}."
        draft.want(CheckKind.TESTS, deployment.revision, sentence)
        # Their time is not the proxies'.
        longest = sum(_longest(test) for test in tests)
        draft.put_off(
            deployment.revision, draft.now + longest + draft.aggregate.service.strategy.ready_deadline
        )
        return draft.change(sentence)
    if check.is_open:
        return Wait(f"{deployment.version} on {deployment.environment} is being tested.")
    return None


def fail_by_tests(draft: Draft, deployment: Deployment) -> Change | None:
    """End a deployment whose tests did not pass, whether or not it is still alive: one that its tests kill
    has failed them."""
    check = next(draft.aggregate.checks_of(CheckKind.TESTS, deployment.revision), None)
    if check is None or check.is_open or check.has_passed or check.wanted_at < deployment.status_since:
        return None
    sentence = f"{deployment.version} failed its tests: {check.summary}."
    draft.transition(deployment.revision, What.FAILED, sentence, note=check.summary)
    return draft.change(sentence)


def _longest(test: AcceptanceTest) -> float:
    """Seconds that a test may take."""
    repeat = 1 if isinstance(test, CommandTest) else test.repeat
    return repeat * (1 + test.retries) * test.timeout


def act_on_analysis(draft: Draft, look: Look) -> Change | None:
    """What a bad verdict leads to while a version takes traffic, or while the one before is still warm."""
    seen, analysis = observation_of(draft, look), draft.aggregate.service.gates.analysis
    if seen is None or analysis is None or seen.verdict not in (Verdict.FAIL, Verdict.ERROR):
        return None
    act = analysis.on_fail if seen.verdict is Verdict.FAIL else analysis.on_error
    rollout = draft.aggregate.open_rollout
    if rollout is None:
        return _act_when_over(draft, look, seen, act)
    by_hand = seen.verdict is Verdict.ERROR and _is_promoted_by_hand(draft, rollout)
    if act is OnFinding.PAUSE and (rollout.paused is not None or by_hand):
        return None
    judged = judge(draft, seen, at=f"at {rollout.percent} %")
    if act is OnFinding.TURN_BACK:
        draft.amend(first_bad_at=seen.first_bad_at)
        return draft.change(commands.turn_back(draft, judged))
    return draft.change(_pause(draft, judged))


def _act_when_over(draft: Draft, look: Look, seen: Observation, act: OnFinding) -> Change | None:
    active, back = draft.aggregate.active, way_back(draft.aggregate)
    if active is None or back is None:
        return None
    told = any(
        check.verdict is seen.verdict and check.wanted_at >= active.status_since
        for check in draft.aggregate.checks_of(CheckKind.ANALYSIS, active.revision, rollout=None)
    )
    # A version of which nobody sees an instance alive is no way back, until it is one again.
    alive = not proof.seen_dead(look.report, back) and not why_no_life(draft.aggregate, back)
    possible = act is OnFinding.TURN_BACK and alive
    if told and not possible:
        return None
    judged = judge(draft, seen, at="with all traffic")
    if not possible:
        return draft.change(judged)
    sentence = commands.rollback(draft, because=judged)
    draft.amend(first_bad_at=seen.first_bad_at)
    return draft.change(sentence)


def before_leaving(draft: Draft, rollout: Rollout, look: Look, until: float) -> Change | Wait | None:
    """What stands between a step whose time is over at `until` and the next one; None: nothing.

    A verdict is recorded in the draft, to be part of the change that it leads to.
    """
    step = rollout.current
    if step is not None and step.approval and not any(_approvals(draft, rollout)):
        name = draft.aggregate.name
        return Wait(
            f"Rollout {rollout.id} waits at {rollout.percent} % for an approval: bluegreen approve {name}."
        )
    analysis = draft.aggregate.service.gates.analysis
    if analysis is None:
        return None
    seen = observation_of(draft, look)
    if seen is None:
        return Wait(f"Rollout {rollout.id} waits at {rollout.percent} % for the analysis.", look.now + 1.0)
    if seen.verdict is Verdict.PASS or _is_promoted_by_hand(draft, rollout):
        judge(draft, seen, at=f"at {rollout.percent} %")
        return None
    patience = _patience(analysis, seen, until)
    if look.now < patience:
        what = seen.worst(Verdict.INCONCLUSIVE) or "nothing was measured yet"
        return Wait(f"Rollout {rollout.id} waits at {rollout.percent} %: {what}.", patience)
    return draft.change(_pause(draft, judge(draft, seen, at=f"at {rollout.percent} %")))


def _approvals(draft: Draft, rollout: Rollout) -> Iterator[Check]:
    return draft.aggregate.checks_of(
        CheckKind.APPROVAL, rollout.candidate, rollout=rollout.id, step=rollout.step
    )


def _is_promoted_by_hand(draft: Draft, rollout: Rollout) -> bool:
    return any(approval.subject == PROMOTED for approval in _approvals(draft, rollout))


def _patience(analysis: Analysis, seen: Observation, until: float) -> float:
    """Too little is not said before a whole window could have been seen: not by a step that is shorter, and
    not by a control plane that has just started; nor while the next looks may tell, for another window."""
    more = analysis.window if seen.is_undecided else 0.0
    return max(until, seen.begun + analysis.window) + more


def judge(draft: Draft, seen: Observation, at: str) -> str:
    """Record the verdict of an analysis with the figures that it is taken on; return it as a sentence
    without its full stop."""
    what = seen.worst(seen.verdict)
    summary = f"The analysis {at} is {seen.verdict}" + (f": {what}" if what else "")
    check = draft.want(CheckKind.ANALYSIS, seen.stretch.candidate, "")
    draft.conclude(check, seen.verdict, summary, seen.findings)
    return summary


def observation_of(draft: Draft, look: Look) -> Observation | None:
    """What was seen of the present stretch; None: nothing is watched, or nothing of this one yet."""
    seen = look.observation
    return seen if seen is not None and seen.stretch == stretch_of(draft.aggregate) else None


def _pause(draft: Draft, reason: str) -> str:
    sentence = f"Rollout {draft.rollout.id} pauses at {draft.rollout.percent} %: {reason}."
    draft.amend(paused=reason)
    draft.record(What.PAUSED, sentence)
    return sentence
