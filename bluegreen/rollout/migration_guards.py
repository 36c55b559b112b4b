"""What must not be done while a database is changed, and when it must not be contracted. Pure."""

from __future__ import annotations

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment
from bluegreen.model.errors import Refused
from bluegreen.model.migration import MigrationOrder, MigrationPlan, Phase
from bluegreen.model.migration_run import MigrationRun
from bluegreen.model.traffic_report import TrafficReport
from bluegreen.rollout import proof
from bluegreen.rollout.draft import Draft
from bluegreen.rollout.migration_runs import tests_after
from bluegreen.rollout.migrations import (
    contracts_since,
    describe_progress,
    describe_run,
    last_good,
    named,
    pending_after,
)
from bluegreen.rollout.refusals import possible, why_busy


def refuse_while_migrating(draft: Draft, *, but_backfill: bool = False) -> None:
    """Raise Refused while a run of migrations is open; a backfill may be let pass."""
    run = draft.aggregate.open_run
    if run is None or (but_backfill and run.phase is Phase.BACKFILL):
        return
    raise Refused(_why_migrating(draft, run), possible(draft.aggregate))


def _why_migrating(draft: Draft, run: MigrationRun) -> str:
    if run.begun_at is None:
        return f"The {describe_run(run)} waits to begin."
    how = describe_progress(draft.progress) if draft.progress is not None else ""
    return f"The {describe_run(run)} is under way{how and ': '}{how}."


def require_filled(draft: Draft, candidate: Deployment) -> None:
    """Raise Refused where rows are still to be filled in that a version reads."""
    aggregate = draft.aggregate
    run = aggregate.open_run
    if run is not None and (run.phase is not Phase.BACKFILL or run.version == candidate.version):
        refuse_while_migrating(draft)
    if last_good(aggregate, candidate.version) is None and candidate.activated_at is None:
        _require_database_unneeded(aggregate, candidate)
    left = pending_after(aggregate, candidate.version).backfills
    if left:
        raise Refused(
            f"{candidate.version} cannot have the traffic before the backfill of {named(left)} has run.",
            f"Next: bluegreen migrations backfill {aggregate.name}.",
        )


def _require_database_unneeded(aggregate: ServiceAggregate, candidate: Deployment) -> None:
    """Raise Refused for a version that was deployed before its service had a database."""
    if aggregate.service.database is not None:
        raise Refused(
            f"{candidate.version} was deployed before {aggregate.name} had a database: nothing says that the "
            "schema is expanded for it.",
            f"Next: bluegreen migrations expand {aggregate.name} {candidate.version}.",
        )


def why_no_life(aggregate: ServiceAggregate, deployment: Deployment) -> str:
    """Why a version cannot have the traffic back; empty: it can, as far as the database goes."""
    contracts = contracts_since(aggregate, deployment)
    if not contracts:
        return ""
    return (
        f"{deployment.version} cannot live with the database any more: the contract of {named(contracts)} has"
        " taken away what it needs."
    )


def why_no_contract(aggregate: ServiceAggregate, report: TrafficReport) -> str:
    """Why another version than the active one may still need what a contract takes away, as a clause; empty:
    none does, and every proxy has acknowledged that none has traffic."""
    rollout = aggregate.open_rollout
    if rollout is not None:
        return why_busy(aggregate, rollout).rstrip(".")
    for each in aggregate.deployments:
        if each == aggregate.active:
            continue
        if each.status.is_open:
            return f"{each.version} on {each.environment} is {each.status}"
        if each.is_held:
            return f"{each.version} (revision {each.revision}) is over, but not released{_by(each, report)}"
        if each.has_instances:
            return f"the instances of {each.version} (revision {each.revision}) are not stopped yet"
    routes = proof.routes_acknowledged(report)
    return "" if routes.passed else f"the routes are acknowledged by {routes}"


def _by(deployment: Deployment, report: TrafficReport) -> str:
    """Which proxies have not let go of it, as far as that is what is waited for."""
    is_out = deployment.withdrawn_at is not None
    barrier = proof.withdrawn(report) if is_out else proof.routes_acknowledged(report)
    return "" if barrier.passed else f": its removal is acknowledged by {barrier}"


def refuse_bad_plan(
    plan: MigrationPlan, *, order: MigrationOrder, accept_drift: bool, phase: Phase = Phase.CONTRACT
) -> None:
    """Raise Refused where a phase would be refused by its runner: that must not cost the way back."""
    ours = (each for each in plan.findings if each.refused and each.file.endswith(f".{phase}.sql"))
    reasons = [*plan.problems, *(f"{each.file}:{each.line}: {each.reason}" for each in ours)]
    if plan.drift and not accept_drift:
        reasons.append(f"the schema was changed by other hands: {plan.drift[0]}")
    if reasons:
        more = f"; and {len(reasons) - 1} more" if len(reasons) > 1 else ""
        raise Refused(
            f"The {phase} would be refused, and the standby is kept: {reasons[0]}{more}.",
            f"See bluegreen migrations plan {order.service} {order.version}.",
        )


def refuse_untested_expand(draft: Draft, version: str) -> None:
    """Raise Refused where the active version has not passed its tests on the schema that was expanded for
    this version: that is when the way back is needed."""
    aggregate = draft.aggregate
    expands = (each for each in reversed(aggregate.migration_runs) if each.phase is Phase.EXPAND)
    run = next((each for each in expands if each.version == version and each.has_passed), None)
    tests = tests_after(draft, run) if run is not None else None
    if tests is None or tests.has_passed or aggregate.active is None:
        return
    schema = f"on the schema that was expanded for {version}, and the standby is kept"
    if tests.is_open:
        raise Refused(f"{aggregate.active.version} is still being tested {schema}.", possible(aggregate))
    raise Refused(
        f"{aggregate.active.version} fails its tests {schema}: {tests.summary}.",
        f"Possible: rollback; bluegreen migrations expand {aggregate.name} {version}, which makes them "
        "again.",
    )


def refuse_unproved_expand(plan: MigrationPlan, *, order: MigrationOrder) -> None:
    """Raise Refused where the expand of a version might yet fail, or the active version its tests after it,
    and the way back would be gone by then."""
    refuse_bad_plan(plan, order=order, accept_drift=False, phase=Phase.EXPAND)
    left = [each.migration for each in plan.pending if each.migration.phase is Phase.EXPAND]
    if left:
        raise Refused(
            f"The expand of {named(left)} is still to come, and might fail: the standby is kept until then.",
            f"Next: bluegreen migrations expand {order.service} {order.version}, then deploy "
            "--replace-standby.",
        )
