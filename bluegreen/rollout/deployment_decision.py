"""The next step of one deployment, beside the open rollout."""

from __future__ import annotations

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.duration import format_duration
from bluegreen.model.event import CONTROLLER, What
from bluegreen.model.hook import Moment
from bluegreen.rollout import pools, proof
from bluegreen.rollout.draft import Change, Draft
from bluegreen.rollout.gate_decision import fail_by_tests, judge, observation_of, tests_before_ready
from bluegreen.rollout.hooks import hooks_before, want_hooks
from bluegreen.rollout.look import Look, Wait
from bluegreen.rollout.migration_decision import expand
from bluegreen.rollout.migrations import named, pending_after
from bluegreen.rollout.pool_decision import are_enough_up, decide_instances


def decide_deployment(
    aggregate: ServiceAggregate, deployment: Deployment, look: Look
) -> Change | Wait | None:
    draft = Draft(aggregate, look.now, CONTROLLER)
    if deployment.status.is_open:
        leaving = decide_instances(draft, deployment, look)
        if leaving is not None:
            return leaving
    rollout = aggregate.open_rollout
    match deployment.status:
        case Status.EXPANDING:
            return _hooks_first(draft, deployment) or expand(draft, deployment)
        case Status.DEPLOYING:
            return _hooks_first(draft, deployment) or _deploying(draft, deployment, look)
        case Status.READY if rollout is None:
            return Wait(_ready(aggregate, deployment))
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


def _ready(aggregate: ServiceAggregate, deployment: Deployment) -> str:
    where = f"{deployment.version} on {deployment.environment}"
    left = pending_after(aggregate, deployment.version).backfills
    if not left:
        return f"{where} is ready to be promoted."
    command = f"bluegreen migrations backfill {aggregate.name}"
    return f"{where} is ready, and before it is promoted comes the backfill of {named(left)}: {command}."


def _hooks_first(draft: Draft, deployment: Deployment) -> Change | Wait | None:
    hooks = hooks_before(draft, Moment.BEFORE_DEPLOY, deployment.revision)
    if hooks is not None and hooks.is_open:
        return Wait(f"{deployment.version} waits for the hooks before its deployment.")
    if hooks is not None and not hooks.has_passed:
        sentence = f"{deployment.version} failed: {hooks.summary}."
        draft.transition(deployment.revision, What.FAILED, sentence, note=hooks.summary)
        return draft.change(sentence)
    return None


def _deploying(draft: Draft, deployment: Deployment, look: Look) -> Change | Wait:
    rejected = [proxy for proxy in look.report.proxies if proxy.rejected is not None]
    if rejected:
        note = f"{rejected[0].proxy} has rejected it: {rejected[0].rejected}"
        draft.transition(deployment.revision, What.FAILED, f"{deployment.version} failed: {note}.", note=note)
        return draft.change(f"{deployment.version} failed: {note}.")
    failed = fail_by_tests(draft, deployment)
    if failed is not None:
        return failed
    enough = are_enough_up(draft, deployment)
    if isinstance(enough, Change):
        return enough
    barrier = proof.reachable(look.report, deployment, look.now, draft.aggregate.service.gates.min_healthy)
    if enough is None and barrier.passed and deployment.prepared_at is None:
        sentence = (
            f"{deployment.version} is warmed and healthy as seen by {barrier}; the preview can reach it."
        )
        draft.note(deployment.revision, What.CLUSTERS_PROVEN, sentence, prepared_at=draft.now)
        return draft.change(sentence)
    routes = proof.routes_acknowledged(look.report)
    if enough is None and barrier.passed and routes.passed:
        tested = tests_before_ready(draft, deployment)
        if tested is not None:
            return tested
        sentence = f"{deployment.version} on {deployment.environment} is ready: preview routes at {routes}."
        draft.transition(deployment.revision, What.PREPARED, sentence)
        return draft.change(sentence)
    what = enough.sentence.rstrip(".") if enough else str(routes if barrier.passed else barrier)
    if look.is_over(deployment.deadline_at):
        waited = look.now - deployment.deployed_at
        hint = _hint(deployment, what)
        note = f"not reachable through every proxy within {waited:.0f} s: {what}.{hint}".rstrip(".")
        draft.transition(deployment.revision, What.FAILED, f"{deployment.version} failed: {note}.", note=note)
        return draft.change(f"{deployment.version} failed: {note}.")
    until = look.deadline(deployment.deadline_at or 0.0)
    return Wait(f"{deployment.version} is being deployed: {what}.", until, urgent=True)


def _hint(deployment: Deployment, what: str) -> str:
    """What to look at first, where a proxy lacks something."""
    if "no statistics" in what:
        return " Does the bootstrap of that Envoy name the metrics service?"
    names = sorted({each.host for each in deployment.endpoints if each.is_by_name})
    if names and "instances healthy" in what:
        return f" Each proxy resolves names by itself: does it know {', '.join(names[:5])}?"
    return ""


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
    kept = pools.standby_capacity(deployment)
    if kept and deployment.deadline_at is not None:
        return _rest(draft, deployment, kept)
    if kept:
        return Wait(f"{where} stays standby with {pools.count(deployment.capacity)}.")
    sentence = f"{where} has been warm long enough and is retired."
    seen = observation_of(draft, look)
    if seen is not None:
        judge(draft, seen, at="with all traffic")
    draft.transition(deployment.revision, What.RETIRED, sentence)
    return draft.change(sentence)


def _rest(draft: Draft, deployment: Deployment, kept: int) -> Change:
    """The warm time is over, but a part of it is kept: a way back that has to be scaled up first."""
    where = f"{deployment.version} on {deployment.environment}"
    sentence = f"{where} has been warm long enough and stays standby with {pools.count(kept)}."
    draft.put_off(deployment.revision, None)
    pools.scale_to(draft, draft.aggregate.deployment(deployment.revision), kept, "its warm time is over")
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
    want_hooks(draft, Moment.AFTER_RETIRE, deployment.revision)
    return draft.change(sentence)
