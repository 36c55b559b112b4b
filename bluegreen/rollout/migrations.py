"""What is known of a service's migrations, and what that means for the way back. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment
from bluegreen.model.duration import format_duration
from bluegreen.model.migration import AppliedMigration, MigrationName, MigrationProgress, Phase
from bluegreen.model.migration_run import MigrationRun


@dataclass(frozen=True, slots=True)
class Pending:
    """The files of a version that are still to come after its expand."""

    backfills: tuple[MigrationName, ...] = ()
    contracts: tuple[MigrationName, ...] = ()


def pending_after(aggregate: ServiceAggregate, version: str) -> Pending:
    """What the last run of this version that went well has left; a version that none is known of, or a
    service that has no database any more, has nothing."""
    run = last_good(aggregate, version)
    if run is None or aggregate.service.database is None:
        return Pending()
    applied = {each.migration for each in aggregate.ledger}
    return Pending(_but(run.backfills_left, applied), _but(run.contracts_left, applied))


def last_good(aggregate: ServiceAggregate, version: str) -> MigrationRun | None:
    """The last run of this version that went well."""
    good = (each for each in reversed(aggregate.migration_runs) if each.has_passed)
    return next((each for each in good if each.version == version), None)


def _but(names: tuple[MigrationName, ...], applied: set[MigrationName]) -> tuple[MigrationName, ...]:
    return tuple(each for each in names if each not in applied)


def way_back_ends(aggregate: ServiceAggregate) -> str:
    """What will end the way back from the newest version, beforehand; empty where nothing will, or there is
    no way back."""
    if aggregate.active is None:
        return ""
    there = sorted((each for each in aggregate.deployments if each.status.is_open), key=_by_revision)
    back, newest = there[0], there[-1]
    contracts = pending_after(aggregate, newest.version).contracts
    if not contracts or back.version == newest.version:
        return ""
    return f"The way back to {back.version} ends with the contract of {named(contracts)}."


def _by_revision(deployment: Deployment) -> int:
    return deployment.revision


def contracts_since(aggregate: ServiceAggregate, deployment: Deployment) -> tuple[MigrationName, ...]:
    """The contracts of other versions that were applied after this one was deployed: it cannot live with
    the database any more."""
    return tuple(
        each.migration
        for each in aggregate.ledger
        if each.migration.phase is Phase.CONTRACT
        and each.version != deployment.version
        and each.applied_at > deployment.deployed_at
    )


def contracts_of(aggregate: ServiceAggregate, version: str) -> tuple[AppliedMigration, ...]:
    """The contracts that this version has applied."""
    return tuple(
        each
        for each in aggregate.ledger
        if each.migration.phase is Phase.CONTRACT and each.version == version
    )


def named(migrations: Iterable[MigrationName]) -> str:
    """The changes that these files belong to, such as "0002_split_name and 0003_drop_nick"."""
    names = list(dict.fromkeys(f"{each.number:04}_{each.name}" for each in migrations))
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def describe_run(run: MigrationRun) -> str:
    """What it is, as a noun without its article."""
    return f"{run.phase} of {run.version} (migration {run.id})"


def describe_progress(progress: MigrationProgress) -> str:
    """Such as "0002_split_name.backfill.sql, 400,000 of 1,000,000 rows, 42s left; waits for a lock"."""
    told = [progress.file] if progress.file else []
    if progress.rows_total >= 0:
        told.append(f"{progress.rows_done:,} of {progress.rows_total:,} rows")
    elif progress.rows_done:
        told.append(f"{progress.rows_done:,} rows")
    if progress.seconds_left is not None:
        told.append(f"{format_duration(float(round(progress.seconds_left)))} left")
    return "; ".join(filter(None, (", ".join(told), progress.note)))
