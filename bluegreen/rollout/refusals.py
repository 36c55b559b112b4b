"""Why something is refused, and what is possible instead: the words of a refusal. Pure."""

from __future__ import annotations

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.rollout import Rollout, RolloutKind

WARM = (Status.DRAINING, Status.STANDBY)
"""Without new traffic, and able to take it at once."""


def possible(aggregate: ServiceAggregate) -> str:
    """What can be asked for in this state, as a sentence."""
    rollout = aggregate.open_rollout
    verbs = ["status", "history", "events"]
    if rollout is None:
        statuses = {each.status for each in aggregate.deployments}
        if aggregate.active is not None:
            verbs.insert(0, "retire")
        if statuses & {Status.DEPLOYING, Status.READY}:
            verbs.insert(0, "abort")
        if aggregate.service.gates.tests and Status.READY in statuses:
            verbs.insert(0, "test")
        if statuses & {Status.STANDBY, Status.DRAINING}:
            verbs.insert(0, "deploy --replace-standby")
        elif Status.DEPLOYING not in statuses:
            verbs.insert(0, "deploy")
        candidate, active = candidate_of(aggregate), aggregate.active
        if candidate is not None:
            verbs.insert(0, "promote")
        if active and any(d.status in WARM and d.revision < active.revision for d in aggregate.deployments):
            verbs.insert(0, "rollback")
    elif rollout.kind is RolloutKind.PROMOTE and rollout.turning_back is None:
        on = ["resume"] if rollout.paused else [] if rollout.acknowledged_at is None else ["promote"]
        if rollout.current is not None and rollout.current.approval:
            on.append("approve")
        verbs = [*on, "promote --full", "abort", "rollback", *verbs]
    return f"Possible: {', '.join(verbs)}."


def candidate_of(aggregate: ServiceAggregate) -> Deployment | None:
    """What a promotion gives the traffic: what is ready, or what was rolled back from and is still warm."""
    active = aggregate.active
    for each in aggregate.deployments:
        if each.status is Status.READY:
            return each
        if each.status in WARM and active and each.revision > active.revision:
            return each
    return None


def why_busy(aggregate: ServiceAggregate, rollout: Rollout) -> str:
    candidate = aggregate.deployment(rollout.candidate)
    if rollout.turning_back is not None:
        return f"Rollout {rollout.id} of {candidate.version} is turning back: {rollout.turning_back}."
    if rollout.paused is not None:
        return (
            f"Rollout {rollout.id} of {candidate.version} is paused at {rollout.percent} %: {rollout.paused}."
        )
    what = "rollback to" if rollout.kind is RolloutKind.ROLLBACK else "promotion of"
    return f"A {what} {candidate.version} is open (rollout {rollout.id}, at {rollout.percent} %)."


def why_nothing_to_promote(aggregate: ServiceAggregate) -> str:
    for each in aggregate.deployments:
        match each.status:
            case Status.DEPLOYING:
                return f"{each.version} is still being deployed to {each.environment}."
            case Status.STANDBY | Status.DRAINING:
                return (
                    f"{each.version} on {each.environment} is {each.status}, the way back: deploy a version."
                )
    return "Deploy a version first."


def why_no_way_back(aggregate: ServiceAggregate) -> str:
    if aggregate.active is None:
        return "No version is active."
    other = aggregate.occupant(aggregate.active.environment.other)
    if other is None:
        return "The version before has been retired, or there never was one."
    return f"{other.version} on {other.environment} is {other.status} and never had the traffic."
