"""What is known of a version's migrations, and what that means for the way back. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.migration import AppliedMigration, MigrationName, Phase
from bluegreen.rollout.refusals import WARM

ON_THE_WAY = (Status.EXPANDING, Status.DEPLOYING, Status.READY, Status.SHIFTING)


@dataclass(frozen=True, slots=True)
class Pending:
    """The files of a version that are still to come after its expand."""

    backfills: tuple[MigrationName, ...] = ()
    contracts: tuple[MigrationName, ...] = ()


def pending_after(aggregate: ServiceAggregate, version: str) -> Pending:
    """What the last run of this version that went well has left; a version that none is known of has
    nothing."""
    for run in reversed(aggregate.migration_runs):
        if run.version == version and run.has_passed:
            applied = {each.migration for each in aggregate.ledger}
            return Pending(_but(run.backfills_left, applied), _but(run.contracts_left, applied))
    return Pending()


def _but(names: tuple[MigrationName, ...], applied: set[MigrationName]) -> tuple[MigrationName, ...]:
    return tuple(each for each in names if each not in applied)


def way_back_ends(aggregate: ServiceAggregate) -> str:
    """What will end the way back from the newest version, beforehand; empty where nothing will, or there is
    no way back."""
    newest, back = _newest_and_way_back(aggregate)
    if newest is None or back is None or back.version == newest.version:
        return ""
    contracts = pending_after(aggregate, newest.version).contracts
    if not contracts:
        return ""
    return f"The way back to {back.version} ends with the contract of {named(contracts)}."


def _newest_and_way_back(aggregate: ServiceAggregate) -> tuple[Deployment | None, Deployment | None]:
    active = aggregate.active
    if active is None:
        return None, None
    other = aggregate.occupant(active.environment.other)
    if other is not None and other.status in ON_THE_WAY:
        return other, active
    return active, other if other is not None and other.status in WARM else None


def contracts_since(aggregate: ServiceAggregate, deployment: Deployment) -> tuple[AppliedMigration, ...]:
    """The contracts of other versions that were applied after this one was deployed: it cannot live with
    the database any more."""
    return tuple(
        each
        for each in aggregate.ledger
        if each.migration.phase is Phase.CONTRACT
        and each.version != deployment.version
        and each.applied_at > deployment.deployed_at
    )


def named(migrations: Iterable[MigrationName]) -> str:
    """The changes that these files belong to, such as "0002_split_name and 0003_drop_nick"."""
    names = list(dict.fromkeys(f"{each.number:04}_{each.name}" for each in migrations))
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
