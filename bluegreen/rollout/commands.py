"""What operators can ask for, as pure functions: a draft in, a sentence out, or Refused with the reason.

Nothing is pushed and nothing awaited here: a command states an intent, and the controller goes on from it.
"""

from __future__ import annotations

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.check import CheckKind
from bluegreen.model.deployment import Status
from bluegreen.model.errors import Refused
from bluegreen.model.event import What
from bluegreen.model.hook import Moment
from bluegreen.model.rollout import Rollout, RolloutKind
from bluegreen.model.strategy import Step
from bluegreen.model.traffic_rule import TOTAL_WEIGHT
from bluegreen.model.verdict import Verdict
from bluegreen.rollout import parity, pools, proof
from bluegreen.rollout.draft import Draft
from bluegreen.rollout.hooks import give_up_hooks, want_hooks
from bluegreen.rollout.migration_guards import require_filled, why_no_life
from bluegreen.rollout.refusals import (
    NOT_READY,
    WARM,
    candidate_of,
    is_in_doubt,
    possible,
    why_busy,
    why_no_way_back,
    why_nothing_to_promote,
)
from bluegreen.rollout.standing import Standing, loser_of, require, rollout_of, subject_of

PROMOTED = "promoted"
"""Subject of the approval that an operator gives by promoting from a step to the next: an analysis that is
not conclusive does not hold the rollout then."""


def promote(draft: Draft, *, full: bool, force: bool = False, expected: Standing | None = None) -> str:
    """Start a rollout of the ready deployment, or take the open one to its next step.

    `force` takes it on that the two environments differ; a reason must then be given.
    Here and below, `expected` is what the sender saw: where that is so no more, Overtaken is raised.
    """
    require(draft.aggregate, expected)
    rollout = draft.aggregate.open_rollout
    return _start(draft, full=full, force=force) if rollout is None else _go_on(draft, rollout, full=full)


def pause(draft: Draft, *, expected: Standing | None = None) -> str:
    """Hold the open rollout where it stands."""
    require(draft.aggregate, expected, rollout_of)
    rollout = _open_promotion(draft.aggregate, "pause")
    if rollout.paused is not None:
        return f"Rollout {rollout.id} is paused already: {rollout.paused}."
    sentence = f"Rollout {rollout.id} pauses at {rollout.percent} %."
    draft.amend(paused=f"by {draft.asked_by}")
    draft.record(What.PAUSED, sentence)
    return sentence


def resume(draft: Draft, *, expected: Standing | None = None) -> str:
    """Go on with a paused rollout; the deadline of its step begins anew."""
    require(draft.aggregate, expected, rollout_of)
    rollout = _open_promotion(draft.aggregate, "resume")
    if rollout.paused is None:
        return f"Rollout {rollout.id} is not paused."
    sentence = f"Rollout {rollout.id} goes on at {rollout.percent} %."
    draft.amend(paused=None, set_at=draft.now, watched_since=draft.now)
    draft.record(What.RESUMED, sentence)
    return sentence


def abort(draft: Draft, *, expected: Standing | None = None) -> str:
    """Take the weights of the open rollout back, or give up a deployment that is not ready yet."""
    require(draft.aggregate, expected, subject_of)
    rollout = draft.aggregate.open_rollout
    if rollout is None:
        return _give_up(draft)
    if rollout.kind is RolloutKind.ROLLBACK:
        raise Refused(
            f"{draft.aggregate.name} is rolling back (rollout {rollout.id}), which cannot be aborted.",
            "Possible: status.",
        )
    return turn_back(draft, f"aborted by {draft.asked_by}")


def _give_up(draft: Draft) -> str:
    """End a deployment that has never had traffic."""
    for deployment in draft.aggregate.deployments:
        sentence = f"The deployment of {deployment.version} on {deployment.environment} is given up."
        if deployment.status in NOT_READY:
            draft.transition(deployment.revision, What.FAILED, sentence, note=f"aborted by {draft.asked_by}")
            return sentence
        if deployment.status is Status.READY:
            draft.transition(
                deployment.revision, What.SUPERSEDED, sentence, note=f"aborted by {draft.asked_by}"
            )
            return sentence
    raise Refused(
        f"Nothing to abort: {draft.aggregate.name} has no open rollout and no deployment that waits for one.",
        possible(draft.aggregate),
    )


def rollback(
    draft: Draft, *, force: bool = False, expected: Standing | None = None, because: str = ""
) -> str:
    """Return to the version before: abort an open rollout, or reverse a finished one in one step.

    Asked again after it is done, it does nothing. `force` goes on all the same: forth again to the version
    that was rolled back from, or to one of which proxies see no healthy instance, which is refused otherwise.
    `because` is told with it.
    """
    aggregate = draft.aggregate
    rollout = aggregate.open_rollout
    if rollout is not None and rollout.kind is RolloutKind.ROLLBACK:
        if rollout.step < 0 and force:
            return advance(draft)
        return f"{aggregate.name} is rolling back already (rollout {rollout.id})."
    if rollout is not None:
        require(aggregate, expected, loser_of)
        return turn_back(draft, f"rolled back by {draft.asked_by}")
    active = aggregate.active
    way_back = aggregate.occupant(active.environment.other) if active else None
    if active is None or way_back is None or way_back.status not in WARM:
        raise Refused(f"{aggregate.name} has no way back. {why_no_way_back(aggregate)}", possible(aggregate))
    if way_back.revision > active.revision and not force:
        # Asked again, it must not bring back what was rolled back from.
        return (
            f"{aggregate.name} is back on {active.version} already. {way_back.version} on "
            f"{way_back.environment} was rolled back from: promote gives it the traffic again."
        )
    require(aggregate, expected, loser_of)
    lost = why_no_life(aggregate, way_back)
    if lost:
        raise Refused(lost, possible(aggregate))
    dead = proof.seen_dead(draft.report, way_back)
    if dead and not force:
        raise Refused(
            f"{way_back.version} on {way_back.environment} is not alive: {', '.join(dead[:5])} "
            f"see{'s' if len(dead) == 1 else ''} no healthy instance of it.",
            "Possible: start its instances again, then rollback; rollback --force; deploy.",
        )
    sentence = (
        f"{way_back.version} on {way_back.environment} takes all traffic back from {active.version} "
        f"on {active.environment}{because and ': '}{because}."
    )
    # One that rests with a part of its instances gets the others first: with `force` meanwhile.
    waits = way_back.capacity < way_back.full_capacity and not force
    pools.scale_up(draft, way_back)
    draft.open(
        Rollout(
            id=aggregate.last_rollout_id + 1,
            service=aggregate.name,
            kind=RolloutKind.ROLLBACK,
            candidate=way_back.revision,
            previous=active.revision,
            steps=(Step(TOTAL_WEIGHT),),
            started_at=draft.now,
            set_at=draft.now,
            step=-1 if waits else 0,
        )
    )
    if waits:
        sentence = (
            f"{way_back.version} is scaled up to {pools.count(way_back.full_capacity)} first: {sentence}"
        )
        draft.record(What.SCALED, sentence)
        return sentence
    draft.set_percent(TOTAL_WEIGHT, sentence)
    return sentence


def turn_back(draft: Draft, reason: str) -> str:
    """Return the weights of the open promotion; it ends once every proxy has acknowledged that."""
    rollout = draft.rollout
    if rollout.turning_back is not None:
        return f"Rollout {rollout.id} is turning back already: {rollout.turning_back}."
    sentence = f"Rollout {rollout.id} turns back from {rollout.percent} %: {reason}."
    draft.amend(turning_back=reason, paused=None)
    draft.record(What.TURNED_BACK, sentence)
    draft.set_percent(0, sentence)
    give_up_hooks(draft, Moment.BEFORE_SHIFT)
    return sentence


def _start(draft: Draft, *, full: bool, force: bool = False) -> str:
    aggregate = draft.aggregate
    candidate = candidate_of(aggregate)
    if candidate is None:
        raise Refused(
            f"{aggregate.name} has nothing to promote. {why_nothing_to_promote(aggregate)}",
            possible(aggregate),
        )
    require_filled(draft, candidate)
    active = aggregate.active
    pools.scale_up(draft, candidate)
    if active is not None:
        parity.require(draft, active, draft.aggregate.deployment(candidate.revision), force=force)
    # The first version of a service replaces nothing: there is nothing to go through steps with.
    steps = aggregate.service.strategy.steps
    steps = steps[-1:] if full or active is None else steps
    rollout_id = aggregate.last_rollout_id + 1
    plan = ", ".join(f"{step.percent} %" for step in steps)
    sentence = f"Rollout {rollout_id} of {candidate.version} on {candidate.environment} begins: {plan}."
    draft.open(
        Rollout(
            id=rollout_id,
            service=aggregate.name,
            kind=RolloutKind.PROMOTE,
            candidate=candidate.revision,
            previous=active.revision if active else None,
            steps=steps,
            started_at=draft.now,
            set_at=draft.now,
        )
    )
    draft.transition(candidate.revision, What.SHIFT_STARTED, sentence)
    want_hooks(draft, Moment.BEFORE_SHIFT, candidate.revision)
    return sentence


def _go_on(draft: Draft, rollout: Rollout, *, full: bool) -> str:
    stands = rollout.paused is not None and not is_in_doubt(draft.aggregate, rollout)
    if rollout.kind is RolloutKind.ROLLBACK or rollout.turning_back is not None or stands:
        raise Refused(why_busy(draft.aggregate, rollout), possible(draft.aggregate))
    if full and rollout.is_last_step:
        return f"Rollout {rollout.id} is at its last step already."
    waits = rollout.step < 0 or rollout.acknowledged_at is None
    if waits and not full:
        raise Refused(
            f"Rollout {rollout.id} waits until every proxy has acknowledged {rollout.percent} %.",
            possible(draft.aggregate),
        )
    if rollout.goes_on and not full:
        following = rollout.steps[rollout.step + 1].percent
        return f"Rollout {rollout.id} goes on from {rollout.percent} % to {following} % already."
    # The wait at this step is over; its acknowledgements, and the proof that the candidate is healthy, are
    # not skipped: the controller goes on once they are there.
    passed = rollout.steps[: rollout.step + 1]
    passed = (*passed[:-1], Step(passed[-1].percent, pause=0.0)) if passed else ()
    further = rollout.steps[-1:] if full else rollout.steps[rollout.step + 1 :]
    sentence = f"Rollout {rollout.id} goes on from {rollout.percent} % to {further[0].percent} %."
    draft.amend(steps=(*passed, *further), set_at=rollout.set_at if waits else draft.now, paused=None)
    if rollout.step >= 0:
        approved = f"{rollout.percent} % of rollout {rollout.id} is left by {draft.asked_by}"
        check = draft.want(CheckKind.APPROVAL, rollout.candidate, "", subject=PROMOTED)
        draft.conclude(check, Verdict.PASS, approved)
    draft.record(What.CONTINUED, sentence)
    return sentence


def advance(draft: Draft) -> str:
    """Take the open rollout to its next step."""
    rollout = draft.rollout
    percent = rollout.steps[rollout.step + 1].percent
    candidate = draft.aggregate.deployment(rollout.candidate)
    sentence = (
        f"{candidate.version} on {candidate.environment} gets {percent} % (before: {rollout.percent} %)."
    )
    draft.set_percent(percent, sentence, step=rollout.step + 1)
    return sentence


def _open_promotion(aggregate: ServiceAggregate, verb: str) -> Rollout:
    rollout = aggregate.open_rollout
    if rollout is None:
        raise Refused(f"Nothing to {verb}: {aggregate.name} has no open rollout.", possible(aggregate))
    if rollout.kind is RolloutKind.ROLLBACK or rollout.turning_back is not None:
        raise Refused(why_busy(aggregate, rollout), possible(aggregate))
    return rollout
