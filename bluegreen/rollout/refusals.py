"""Why something is refused, and what is possible instead: the words of a refusal. Pure."""

from __future__ import annotations

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.check import CheckKind
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.migration import Phase
from bluegreen.model.migration_run import MigrationRun
from bluegreen.model.rollout import Rollout, RolloutKind
from bluegreen.model.verdict import Verdict
from bluegreen.rollout.migrations import contracts_of, describe_run, named, pending_after

NOT_READY = (Status.EXPANDING, Status.DEPLOYING)
"""On the way to be what can be promoted."""

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
        if statuses & {*NOT_READY, Status.READY}:
            verbs.insert(0, "abort")
        if aggregate.service.gates.tests and Status.READY in statuses:
            verbs.insert(0, "test")
        if statuses & {Status.STANDBY, Status.DRAINING}:
            verbs.insert(0, "deploy --replace-standby")
        elif not statuses & set(NOT_READY):
            verbs.insert(0, "deploy")
        candidate, active = candidate_of(aggregate), aggregate.active
        if candidate is not None:
            verbs.insert(0, "promote")
        if active and any(d.status in WARM and d.revision < active.revision for d in aggregate.deployments):
            verbs.insert(0, "rollback")
        verbs = _with_migrations(aggregate, verbs)
    elif rollout.kind is RolloutKind.PROMOTE and rollout.turning_back is None:
        verbs = [*_onward(aggregate, rollout), "abort", "rollback", *verbs]
    return f"Possible: {', '.join(verbs)}."


def _onward(aggregate: ServiceAggregate, rollout: Rollout) -> list[str]:
    """What takes an open promotion further: none that is paused, but for doubt, is promoted over the head of
    whoever paused it."""
    may_promote = rollout.paused is None or is_in_doubt(aggregate, rollout)
    verbs = ["resume"] if rollout.paused else []
    if may_promote and rollout.acknowledged_at is not None:
        verbs.append("promote")
    if rollout.current is not None and rollout.current.approval:
        verbs.append("approve")
    return [*verbs, "promote --full"] if may_promote else verbs


def is_in_doubt(aggregate: ServiceAggregate, rollout: Rollout) -> bool:
    """Whether it is paused because too little was known of its step: an operator may know more."""
    verdicts = aggregate.checks_of(
        CheckKind.ANALYSIS, rollout.candidate, rollout=rollout.id, step=rollout.step
    )
    newest = next(verdicts, None)
    in_doubt = newest is not None and newest.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR)
    return newest is not None and in_doubt and newest.summary == rollout.paused


def _with_migrations(aggregate: ServiceAggregate, verbs: list[str]) -> list[str]:
    """These verbs without those that migrations stand in the way of, and with those that they can be moved
    on by."""
    run, candidate, active = aggregate.open_run, candidate_of(aggregate), aggregate.active
    if run is not None:
        barred = _barred_by(run, candidate)
        return ["migrations stop", *(verb for verb in verbs if verb.split()[0] not in barred)]
    if candidate is not None and pending_after(aggregate, candidate.version).backfills:
        return ["migrations backfill", *(verb for verb in verbs if verb != "promote")]
    if active is None or candidate is not None:
        return verbs
    left = pending_after(aggregate, active.version)
    if left.backfills:
        return ["migrations backfill", *verbs]
    return ["migrations contract", *verbs] if left.contracts else verbs


def _barred_by(run: MigrationRun, candidate: Deployment | None) -> tuple[str, ...]:
    if run.phase is not Phase.BACKFILL:
        return ("promote", "deploy", "retire")
    own = candidate is not None and candidate.version == run.version
    return ("promote", "deploy") if own else ("deploy",)


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
            case Status.EXPANDING:
                return f"{each.version} waits for its schema before it is deployed to {each.environment}."
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
    run = aggregate.open_run
    if other is None and run is not None and run.phase is Phase.CONTRACT:
        return f"It was given up for the {describe_run(run)}."
    contracts = [each.migration for each in contracts_of(aggregate, aggregate.active.version)]
    if other is None and contracts:
        return f"It ended with the contract of {named(contracts)}: no version before can live with that."
    if other is None:
        return "The version before has been retired, or there never was one."
    return f"{other.version} on {other.environment} is {other.status} and never had the traffic."
