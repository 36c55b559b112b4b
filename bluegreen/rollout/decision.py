"""What to do next about one service: pure, from what is decided, what the proxies say, and the time.

`decide` returns the most urgent step as a change to record, or what it waits for. The controller records the
change, tells the switch, and asks again: so a process killed between any two of these goes on from the same
facts to the same step.
"""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.duration import format_duration
from bluegreen.model.event import CONTROLLER, What
from bluegreen.model.rollout import Outcome, Rollout, RolloutKind
from bluegreen.model.strategy import OnSilent
from bluegreen.model.traffic_report import TrafficReport
from bluegreen.rollout import commands, proof
from bluegreen.rollout.draft import Change, Draft


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before the facts change, or before `until` (seconds since the epoch; None: open)."""

    sentence: str
    until: float | None = None
    urgent: bool = False  # something is under way, so a change of facts may be what it waits for


def decide(
    aggregate: ServiceAggregate, report: TrafficReport, now: float, *, no_deadline_before: float = 0.0
) -> Change | Wait:
    """The next step. The open rollout comes first, then the deployments from the oldest on.

    No deadline for the proxies ends before `no_deadline_before`: after a start they need a moment to be heard
    again, and what passed while nobody listened says nothing about them.
    """
    look = Look(report, now, no_deadline_before)
    waits: list[Wait] = []
    if aggregate.open_rollout is not None:
        step = _rollout(aggregate, aggregate.open_rollout, look)
        if isinstance(step, Change):
            return step
        waits.append(step)
    for deployment in aggregate.deployments:
        following = _deployment(aggregate, deployment, look)
        if isinstance(following, Change):
            return following
        if following is not None:
            waits.append(following)
    return _first_wait(aggregate, waits)


@dataclass(frozen=True, slots=True)
class Look:
    """The facts of one moment."""

    report: TrafficReport
    now: float
    no_deadline_before: float

    def deadline(self, at: float) -> float:
        """When a deadline for the proxies ends."""
        return max(at, self.no_deadline_before)

    def is_over(self, at: float | None) -> bool:
        return at is not None and self.now >= self.deadline(at)


def _first_wait(aggregate: ServiceAggregate, waits: list[Wait]) -> Wait:
    if not waits:
        active = aggregate.active
        return Wait(
            f"{active.version} on {active.environment} is active." if active else "Nothing is deployed."
        )
    deadlines = [each.until for each in waits if each.until is not None]
    return Wait(waits[0].sentence, min(deadlines, default=None), any(each.urgent for each in waits))


# --- the open rollout -------------------------------------------------------------------------------------


def _rollout(aggregate: ServiceAggregate, rollout: Rollout, look: Look) -> Change | Wait:
    draft = Draft(aggregate, look.now, CONTROLLER)
    if rollout.turning_back is not None:
        return _turning_back(draft, rollout, look)
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
    barrier = proof.routes_acknowledged(look.report)
    if not barrier.passed:
        return Wait(
            f"Rollout {rollout.id} turns back ({rollout.turning_back}); acknowledged by {barrier}.",
            urgent=True,
        )
    sentence = (
        f"Rollout {rollout.id} has turned back ({rollout.turning_back}): its candidate has no traffic any "
        f"more, acknowledged by {barrier}."
    )
    draft.amend(acknowledged_at=barrier.last_at, **_timing(rollout, barrier))
    draft.transition(rollout.candidate, What.SHIFT_ABORTED, sentence)
    draft.close(Outcome.ABORTED, sentence)
    return draft.change(sentence)


def _before_first_step(draft: Draft, rollout: Rollout, look: Look) -> Change | Wait:
    candidate = draft.aggregate.deployment(rollout.candidate)
    barrier = proof.reachable(look.report, candidate, look.now)
    if barrier.passed:
        return draft.change(commands.advance(draft))
    return _lagging(draft, look, f"{candidate.version} is not proved by every proxy: {barrier}")


def _awaiting_acknowledgements(draft: Draft, rollout: Rollout, look: Look) -> Change | Wait:
    barrier = proof.routes_acknowledged(look.report)
    if not barrier.passed:
        return _lagging(draft, look, f"{rollout.percent} % is acknowledged by {barrier}")
    timing = _timing(rollout, barrier)
    sentence = (
        f"{rollout.percent} % is acknowledged by {barrier}, {timing['seconds_to_last_ack'] * 1000:.0f} ms "
        f"after the command, {timing['skew'] * 1000:.1f} ms between the first and the last."
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
    barrier = proof.reachable(look.report, candidate, look.now)
    if not barrier.passed:
        return _lagging(draft, look, f"{candidate.version} is not proved by every proxy: {barrier}", until)
    return draft.change(commands.advance(draft))


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


# --- one deployment ---------------------------------------------------------------------------------------


def _deployment(aggregate: ServiceAggregate, deployment: Deployment, look: Look) -> Change | Wait | None:
    draft = Draft(aggregate, look.now, CONTROLLER)
    rollout = aggregate.open_rollout
    match deployment.status:
        case Status.DEPLOYING:
            return _deploying(draft, deployment, look)
        case Status.READY if rollout is None:
            return Wait(f"{deployment.version} on {deployment.environment} is ready to be promoted.")
        case Status.DRAINING | Status.STANDBY if rollout and rollout.candidate == deployment.revision:
            return None  # it is on its way back to active
        case Status.DRAINING:
            return _draining(draft, deployment, look)
        case Status.STANDBY:
            return _standby(draft, deployment, look)
        case Status.RETIRED | Status.FAILED:
            return _over(draft, deployment, look)
        case _:
            return None


def _deploying(draft: Draft, deployment: Deployment, look: Look) -> Change | Wait:
    rejected = [proxy for proxy in look.report.proxies if proxy.rejected is not None]
    if rejected:
        note = f"{rejected[0].proxy} has rejected it: {rejected[0].rejected}"
        draft.transition(deployment.revision, What.FAILED, f"{deployment.version} failed: {note}.", note=note)
        return draft.change(f"{deployment.version} failed: {note}.")
    barrier = proof.reachable(look.report, deployment, look.now)
    if barrier.passed and deployment.prepared_at is None:
        sentence = (
            f"{deployment.version} is warmed and healthy as seen by {barrier}; the preview can reach it."
        )
        draft.note(deployment.revision, What.CLUSTERS_PROVEN, sentence, prepared_at=draft.now)
        return draft.change(sentence)
    routes = proof.routes_acknowledged(look.report)
    if barrier.passed and routes.passed:
        sentence = f"{deployment.version} on {deployment.environment} is ready: preview routes at {routes}."
        draft.transition(deployment.revision, What.PREPARED, sentence)
        return draft.change(sentence)
    what = str(routes if barrier.passed else barrier)
    if look.is_over(deployment.deadline_at):
        waited = look.now - deployment.deployed_at
        hint = (
            " Does the bootstrap of that Envoy name the metrics service?" if "no statistics" in what else ""
        )
        note = f"not reachable through every proxy within {waited:.0f} s: {what}.{hint}".rstrip(".")
        draft.transition(deployment.revision, What.FAILED, f"{deployment.version} failed: {note}.", note=note)
        return draft.change(f"{deployment.version} failed: {note}.")
    until = look.deadline(deployment.deadline_at or 0.0)
    return Wait(f"{deployment.version} is being deployed: {what}.", until, urgent=True)


def _draining(draft: Draft, deployment: Deployment, look: Look) -> Change | Wait:
    service = draft.aggregate.service
    barrier = proof.drained(look.report, deployment, service.drain)
    where = f"{deployment.version} on {deployment.environment}"
    if barrier.passed:
        took = draft.now - deployment.status_since
        note = f"idle on {barrier} after {took:.1f} s"
    elif look.is_over(deployment.deadline_at):
        held = proof.pinned(look.report, deployment.revision)
        note = f"deadline passed with {held}; idle on {barrier}"
    else:
        until = look.deadline(deployment.deadline_at or 0.0)
        return Wait(f"{where} drains: idle on {barrier}.", until, urgent=True)
    sentence = f"{where} is standby for {format_duration(service.keep_warm)}: {note}."
    until = draft.now + service.keep_warm
    draft.transition(deployment.revision, What.DRAINED, sentence, deadline_at=until, note=note)
    return draft.change(sentence)


def _standby(draft: Draft, deployment: Deployment, look: Look) -> Change | Wait:
    where = f"{deployment.version} on {deployment.environment}"
    if deployment.deadline_at is not None and draft.now < deployment.deadline_at:
        return Wait(f"{where} stays warm, the way back.", deployment.deadline_at)
    barrier = proof.routes_acknowledged(look.report)
    if not barrier.passed:
        # A proxy that has not acknowledged may still send it traffic: it blocks the retirement alone.
        return Wait(f"{where} cannot be retired yet: routes at {barrier}.", urgent=True)
    sentence = f"{where} has been warm long enough and is retired."
    draft.transition(deployment.revision, What.RETIRED, sentence)
    return draft.change(sentence)


def _over(draft: Draft, deployment: Deployment, look: Look) -> Change | Wait | None:
    """Out of the routes, then idle, then out of the clusters, then released: each proved before the next."""
    if deployment.released_at is not None:
        return None
    if deployment.withdrawn_at is not None:
        return _withdrawn(draft, deployment, deployment.withdrawn_at, look)
    where = f"{deployment.version} (revision {deployment.revision})"
    routes = proof.routes_acknowledged(look.report)
    if not routes.passed and look.report.proxies:
        return Wait(f"{where} leaves the routes: acknowledged by {routes}.", urgent=True)
    idle = proof.drained(look.report, deployment, draft.aggregate.service.drain)
    deadline = look.deadline(deployment.status_since + draft.aggregate.service.drain.deadline)
    never_routed = deployment.prepared_at is None
    if not (idle.passed or never_routed or not look.report.proxies) and look.now < deadline:
        return Wait(f"{where} empties: idle on {idle}.", deadline, urgent=True)
    held = proof.pinned(look.report, deployment.revision)
    left = f", with {held}" if held.requests else ""
    sentence = f"{where} is withdrawn from the proxies{left}."
    draft.note(deployment.revision, What.WITHDRAWN, sentence, withdrawn_at=draft.now)
    return draft.change(sentence)


def _withdrawn(draft: Draft, deployment: Deployment, since: float, look: Look) -> Change | Wait:
    """Requests that outlive the cluster, such as WebSockets, hold the release up for one more drain."""
    where = f"{deployment.version} (revision {deployment.revision})"
    barrier = proof.withdrawn(look.report)
    if not barrier.passed and look.report.proxies:
        return Wait(f"{where} is being withdrawn: acknowledged by {barrier}.", urgent=True)
    held = proof.pinned(look.report, deployment.revision)
    deadline = look.deadline(since + draft.aggregate.service.drain.deadline)
    if held.requests and look.now < deadline:
        return Wait(f"{where} is withdrawn, with {held}.", deadline, urgent=True)
    what = (
        f"its instances may be stopped, which cuts off {held}"
        if held.requests
        else "its instances may be stopped"
    )
    sentence = f"{where} is released: no proxy leads to it any more, {what}."
    draft.note(deployment.revision, What.RELEASED, sentence, released_at=draft.now)
    return draft.change(sentence)
