"""The next step of an open rollout."""

from __future__ import annotations

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.check import CheckKind
from bluegreen.model.event import CONTROLLER, What
from bluegreen.model.hook import Moment
from bluegreen.model.rollout import Outcome, Rollout, RolloutKind
from bluegreen.model.strategy import OnSilent
from bluegreen.model.verdict import Verdict
from bluegreen.rollout import commands, proof
from bluegreen.rollout.draft import Change, Draft
from bluegreen.rollout.gate_decision import act_on_analysis, before_leaving
from bluegreen.rollout.hooks import hooks_before, want_hooks
from bluegreen.rollout.look import Look, Wait


def decide_rollout(aggregate: ServiceAggregate, rollout: Rollout, look: Look) -> Change | Wait:
    draft = Draft(aggregate, look.now, CONTROLLER)
    if rollout.turning_back is not None:
        return _turning_back(draft, rollout, look)
    acted = act_on_analysis(draft, look)
    if acted is not None:
        return acted
    if rollout.paused is not None:
        return Wait(f"Rollout {rollout.id} is paused at {rollout.percent} %: {rollout.paused}.")
    if rollout.kind is RolloutKind.PROMOTE and rollout.acknowledged_at is None:
        rejected = [proxy for proxy in look.report.proxies if proxy.rejected is not None]
        if rejected:
            reason = f"{rejected[0].proxy} has rejected it: {rejected[0].rejected}"
            return draft.change(commands.turn_back(draft, reason))
    if rollout.step < 0:
        return _before_first_step(draft, rollout, look)
    if rollout.acknowledged_at is None:
        return _awaiting_acknowledgements(draft, rollout, look)
    return _holding(draft, rollout, look)


def _turning_back(draft: Draft, rollout: Rollout, look: Look) -> Change | Wait:
    aggregate = draft.aggregate
    barrier = proof.routes_acknowledged(look.report)
    if not barrier.passed:
        return Wait(
            f"Rollout {rollout.id} turns back ({rollout.turning_back}); acknowledged by {barrier}.",
            urgent=True,
        )
    sentence = (
        f"Rollout {rollout.id} has turned back ({rollout.turning_back}): its candidate has no traffic any "
        f"more, acknowledged by {barrier}{_since_first_bad(rollout, barrier)}."
    )
    draft.amend(acknowledged_at=barrier.last_at, **_timing(rollout, barrier))
    if rollout.step >= 0:
        want_hooks(draft, Moment.AFTER_ROLLBACK, rollout.candidate)
    if _is_found_bad(aggregate, rollout):
        draft.transition(rollout.candidate, What.FAILED, sentence, note=rollout.turning_back)
        draft.close(Outcome.FAILED, sentence)
    else:
        draft.transition(rollout.candidate, What.SHIFT_ABORTED, sentence)
        draft.close(Outcome.ABORTED, sentence)
    return draft.change(sentence)


def _is_found_bad(aggregate: ServiceAggregate, rollout: Rollout) -> bool:
    """Whether a gate, and not an operator or a proxy, has turned it back."""
    verdicts = aggregate.checks_of(CheckKind.ANALYSIS, rollout.candidate, rollout=rollout.id)
    return any(check.verdict is Verdict.FAIL and check.summary == rollout.turning_back for check in verdicts)


def _since_first_bad(rollout: Rollout, barrier: proof.Barrier) -> str:
    if rollout.first_bad_at is None or barrier.last_at is None:
        return ""
    seconds = max(0.0, barrier.last_at - rollout.first_bad_at)
    return f", {seconds:.1f} s after the first bad answer was reported"


def _before_first_step(draft: Draft, rollout: Rollout, look: Look) -> Change | Wait:
    candidate = draft.aggregate.deployment(rollout.candidate)
    if rollout.kind is RolloutKind.ROLLBACK:
        return _scaling_up(draft, rollout, look)
    hooks = hooks_before(draft, Moment.BEFORE_SHIFT, candidate.revision)
    if hooks is not None and hooks.rollout == rollout.id:
        if hooks.is_open:
            return Wait(f"Rollout {rollout.id} waits for the hooks before it.")
        if not hooks.has_passed:
            return draft.change(commands.turn_back(draft, hooks.summary))
    barrier = proof.reachable(look.report, candidate, look.now, _min_healthy(draft))
    if barrier.passed:
        return draft.change(commands.advance(draft))
    # Instances that have to be started first take their time.
    strategy = draft.aggregate.service.strategy
    longer = strategy.ready_deadline - strategy.step_deadline if candidate.provisioning else 0.0
    since = rollout.set_at + max(0.0, longer)
    return _lagging(draft, look, f"{candidate.version} is not proved by every proxy: {barrier}", since)


def _scaling_up(draft: Draft, rollout: Rollout, look: Look) -> Change | Wait:
    """A rollback to a version that rests with a part of its instances: it waits for the others, but not for
    ever. A proxy that is not connected is not waited for."""
    candidate = draft.aggregate.deployment(rollout.candidate)
    barrier = proof.has_capacity(look.report, candidate, look.now)
    deadline = look.deadline(rollout.set_at + draft.aggregate.service.strategy.ready_deadline)
    if barrier.passed or (look.now >= deadline and not proof.seen_dead(look.report, candidate)):
        return draft.change(commands.advance(draft))
    until = deadline if look.now < deadline else None
    return Wait(f"Rollout {rollout.id} waits for instances: {barrier}.", until, urgent=True)


def _awaiting_acknowledgements(draft: Draft, rollout: Rollout, look: Look) -> Change | Wait:
    barrier = proof.routes_acknowledged(look.report)
    if not barrier.passed:
        return _lagging(draft, look, f"{rollout.percent} % is acknowledged by {barrier}")
    timing = _timing(rollout, barrier)
    sentence = (
        f"{rollout.percent} % is acknowledged by {barrier}, {timing['seconds_to_last_ack'] * 1000:.0f} ms "
        f"after the command, {timing['skew'] * 1000:.1f} ms between the first and the last"
        f"{_since_first_bad(rollout, barrier)}."
    )
    draft.amend(acknowledged_at=barrier.last_at, **timing)
    draft.record(What.WEIGHT_ACKNOWLEDGED, sentence, after=str(rollout.percent))
    if rollout.is_last_step:
        _complete(draft)
    return draft.change(sentence)


def _holding(draft: Draft, rollout: Rollout, look: Look) -> Change | Wait:
    step = rollout.current
    if step is None or step.pause is None or rollout.acknowledged_at is None:
        following = rollout.steps[rollout.step + 1].percent
        return Wait(f"Holds at {rollout.percent} % until it is promoted to {following} %.")
    # A promotion by hand ends the pause and sets the time anew.
    until = max(rollout.acknowledged_at + step.pause, rollout.set_at)
    if draft.now < until:
        return Wait(f"Holds at {rollout.percent} %.", until)
    candidate = draft.aggregate.deployment(rollout.candidate)
    barrier = proof.reachable(look.report, candidate, look.now, _min_healthy(draft))
    if not barrier.passed:
        return _lagging(draft, look, f"{candidate.version} is not proved by every proxy: {barrier}", until)
    held = before_leaving(draft, rollout, look, until)
    if held is not None:
        return held
    return draft.change(commands.advance(draft))


def _min_healthy(draft: Draft) -> float:
    return draft.aggregate.service.gates.min_healthy


def _complete(draft: Draft) -> None:
    rollout = draft.rollout
    candidate = draft.aggregate.deployment(rollout.candidate)
    sentence = f"{candidate.version} on {candidate.environment} has all traffic."
    back = rollout.kind is RolloutKind.ROLLBACK
    # The old one leaves `active` first: there is never a moment with two.
    if rollout.previous is not None:
        previous = draft.aggregate.deployment(rollout.previous)
        draft.transition(
            rollout.previous,
            What.DRAIN_STARTED,
            f"{previous.version} on {previous.environment} finishes what it has begun.",
            deadline_at=draft.now + draft.aggregate.service.drain.deadline,
        )
    activated = What.REACTIVATED if back else What.ACTIVATED
    draft.transition(rollout.candidate, activated, sentence, activated_at=draft.now)
    want_hooks(draft, Moment.AFTER_ROLLBACK if back else Moment.AFTER_SHIFT, rollout.candidate)
    draft.close(Outcome.COMPLETED, sentence)


def _lagging(draft: Draft, look: Look, what: str, since: float | None = None) -> Change | Wait:
    """Wait for the proxies that lag until the step's deadline, and then pause or turn back, naming them.

    A rollback does not pause: the proxies that have it are back already, and the others get it as soon as
    they can be reached.
    """
    rollout = draft.rollout
    deadline = look.deadline((since or rollout.set_at) + draft.aggregate.service.strategy.step_deadline)
    if rollout.kind is RolloutKind.ROLLBACK or look.now < deadline:
        until = None if rollout.kind is RolloutKind.ROLLBACK else deadline
        return Wait(f"Rollout {rollout.id} waits: {what}.", until, urgent=True)
    if draft.aggregate.service.strategy.on_silent is OnSilent.TURN_BACK:
        return draft.change(commands.turn_back(draft, what))
    sentence = f"Rollout {rollout.id} pauses at {rollout.percent} %: {what}."
    draft.amend(paused=what)
    draft.record(What.PAUSED, sentence)
    return draft.change(sentence)


def _timing(rollout: Rollout, barrier: proof.Barrier) -> dict[str, float]:
    # The first step is what the command to promote asked for; the others begin with their own decision.
    first = rollout.step == 0 and rollout.turning_back is None
    began = rollout.started_at if first else rollout.set_at
    last = barrier.last_at if barrier.last_at is not None else began
    return {"seconds_to_last_ack": max(0.0, last - began), "skew": barrier.skew}
