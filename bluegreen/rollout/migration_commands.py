"""What operators can ask of migrations. Pure, as `commands` is."""

from __future__ import annotations

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.database import Database
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.errors import InvalidInput, Refused
from bluegreen.model.event import What
from bluegreen.model.migration import MigrationOrder, Phase
from bluegreen.rollout.draft import Draft
from bluegreen.rollout.migration_guards import refuse_while_migrating, why_no_contract
from bluegreen.rollout.migration_runs import end_run, want_run
from bluegreen.rollout.migrations import describe_run, last_good, named, pending_after
from bluegreen.rollout.operations import MigrateCommand
from bluegreen.rollout.refusals import WARM, possible, why_busy
from bluegreen.rollout.standing import require

_ON_THE_WAY = (Status.EXPANDING, Status.DEPLOYING, Status.READY, Status.SHIFTING)


def migrate(draft: Draft, *, command: MigrateCommand) -> str:
    """Have a phase run. An expand or a backfill begins at once, a contract when nobody needs any more what
    it takes away."""
    database_of(draft.aggregate)
    refuse_while_migrating(draft)
    require(draft.aggregate, command.expected)
    match command.phase:
        case Phase.EXPAND:
            return _expand(draft, command)
        case Phase.BACKFILL:
            return _backfill(draft, command)
        case Phase.CONTRACT:
            return _contract(draft, command)


def stop(draft: Draft) -> str:
    """Give the open run up. What it has applied stays, and a later one goes on from there."""
    run = draft.aggregate.open_run
    if run is None:
        raise Refused(
            f"Nothing to stop: no migration of {draft.aggregate.name} is open.", possible(draft.aggregate)
        )
    return f"{end_run(draft, run, f'is stopped by {draft.asked_by}')}; a later one goes on where it stood."


def database_of(aggregate: ServiceAggregate) -> Database:
    """Raises Refused where the service has none."""
    if aggregate.service.database is None:
        raise Refused(
            f"{aggregate.name} has no database that its versions share.",
            f"Write it under services.{aggregate.name}.database.",
        )
    return aggregate.service.database


def order_to_plan(aggregate: ServiceAggregate, version: str) -> MigrationOrder:
    """What is looked at for a plan of this version; empty: that of the candidate, else of the active
    deployment."""
    deployment = _candidate(aggregate) or aggregate.active
    if not version and deployment is None:
        raise Refused(f"{aggregate.name} has no version yet.", "Name one.")
    return MigrationOrder(
        service=aggregate.name,
        version=version or (deployment.version if deployment else ""),
        phase=Phase.EXPAND,
        database=database_of(aggregate),
        author="",
        known=aggregate.ledger,
    )


def _expand(draft: Draft, command: MigrateCommand) -> str:
    aggregate = draft.aggregate
    if not command.version:
        raise InvalidInput("Name the version whose migrations are to expand the schema.")
    if aggregate.open_rollout is not None:
        raise Refused(why_busy(aggregate, aggregate.open_rollout), possible(aggregate))
    expanding = next((each for each in aggregate.deployments if each.status is Status.EXPANDING), None)
    if expanding is not None:
        raise Refused(
            f"{expanding.version} is expanding the schema, as a part of its deployment.", possible(aggregate)
        )
    run = want_run(
        draft, Phase.EXPAND, command.version, begun_at=draft.now, accept_drift=command.accept_drift
    )
    return f"The schema is to be expanded for {command.version} (migration {run.id})."


def _backfill(draft: Draft, command: MigrateCommand) -> str:
    aggregate = draft.aggregate
    deployment = _candidate(aggregate) or aggregate.active
    if command.version:
        deployment = _deployed(aggregate, command.version)
    if deployment is None:
        raise Refused(f"{aggregate.name} has no version that could be backfilled.", possible(aggregate))
    if deployment.status is Status.EXPANDING:
        raise Refused(f"{deployment.version} is still expanding the schema.", possible(aggregate))
    if not command.version and deployment == aggregate.active:
        _refuse_to_mean(aggregate, deployment)
    run = want_run(
        draft,
        Phase.BACKFILL,
        deployment.version,
        deployment=deployment.revision,
        begun_at=draft.now,
        accept_drift=command.accept_drift,
    )
    return f"What {deployment.version} has added is to be filled in (migration {run.id})."


def _refuse_to_mean(aggregate: ServiceAggregate, active: Deployment) -> None:
    """Raise Refused where the active version has nothing to fill in, and another one has that is not deployed
    any more: whoever asks means that one."""
    if pending_after(aggregate, active.version).backfills:
        return
    for run in reversed(aggregate.migration_runs):
        left = pending_after(aggregate, run.version).backfills
        if left and run.version != active.version:
            raise Refused(
                f"{active.version} is active, and has nothing to fill in. The backfill of {named(left)} is "
                f"left, and {run.version}, which has brought it, is not deployed: nobody writes what it has "
                "added.",
                f"Next: bluegreen deploy {aggregate.name} {run.version}.",
            )


def _contract(draft: Draft, command: MigrateCommand) -> str:
    aggregate, active = draft.aggregate, draft.aggregate.active
    if aggregate.open_rollout is not None:
        raise Refused(why_busy(aggregate, aggregate.open_rollout), possible(aggregate))
    if active is None or command.version not in ("", active.version):
        which = f"{command.version} is not active" if command.version else "No version is active"
        raise Refused(f"{which}: a contract is for the version that has the traffic.", possible(aggregate))
    left = pending_after(aggregate, active.version)
    if left.backfills:
        raise Refused(
            f"The contract has to wait for the backfill of {named(left.backfills)}.",
            f"Next: bluegreen migrations backfill {aggregate.name}.",
        )
    other = aggregate.occupant(active.environment.other)
    if other is not None:
        _give_way_back_up(draft, other, active, command)
    why = why_no_contract(draft.aggregate, draft.report)
    if why and not command.retire_standby:
        raise Refused(
            f"{active.version} cannot contract the schema yet: {why}.",
            "Possible: wait for that; migrations contract --retire-standby, which begins once it is so.",
        )
    run = want_run(
        draft,
        Phase.CONTRACT,
        active.version,
        deployment=active.revision,
        accept_drift=command.accept_drift,
    )
    when = f", once this is over: {why}" if why else ""
    return f"The schema is to be contracted to what {active.version} needs (migration {run.id}){when}."


def _give_way_back_up(draft: Draft, other: Deployment, active: Deployment, command: MigrateCommand) -> None:
    where = f"{other.version} on {other.environment}"
    if other.status not in WARM:
        raise Refused(
            f"{where} is {other.status}, and may need what the contract takes away.",
            "Possible: promote it, or abort it, and contract then.",
        )
    if not command.retire_standby:
        raise Refused(
            f"{where} is {other.status}, the way back: the contract of {active.version} ends that.",
            "Possible: migrations contract --retire-standby, which gives the way back up; wait until it is "
            "retired; rollback.",
        )
    known, left = last_good(draft.aggregate, active.version), pending_after(draft.aggregate, active.version)
    if known is not None and not left.contracts:
        raise Refused(
            f"{active.version} has nothing to contract, as far as the {describe_run(known)} saw: the way "
            "back is kept.",
            f"See bluegreen migrations plan {draft.aggregate.name}. After a change of the version's files, "
            f"bluegreen migrations expand {draft.aggregate.name} {active.version} looks again.",
        )
    sentence = f"{where} gives way to the contract of {active.version}."
    draft.transition(other.revision, What.RETIRED, sentence)


def _candidate(aggregate: ServiceAggregate) -> Deployment | None:
    return next((each for each in aggregate.deployments if each.status in _ON_THE_WAY), None)


def _deployed(aggregate: ServiceAggregate, version: str) -> Deployment:
    there = [each for each in aggregate.deployments if each.status.is_open]
    found = next((each for each in reversed(there) if each.version == version), None)
    if found is None:
        names = ", ".join(each.version for each in there) or "none"
        raise Refused(
            f"{version} is not deployed, so that nobody writes what it has added. Deployed: {names}.",
            possible(aggregate),
        )
    return found
