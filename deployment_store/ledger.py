"""The migrations of the services' databases: the runs of their phases, and what is applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import aiosqlite

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment
from bluegreen.model.errors import Refused
from bluegreen.model.event import Event, What
from bluegreen.model.migration import AppliedMigration
from bluegreen.model.migration_run import MigrationRun
from deployment_store.records import (
    applied_row,
    insertion,
    read_applied,
    read_run,
    run_row,
    update,
)

KEPT_RUNS = 20
"""Runs that an aggregate carries, beside the last good one of each of its deployments."""

_RUNS = """
SELECT * FROM migration_runs AS run WHERE service = :service AND (
    deployment >= :oldest
    OR number > (SELECT max(number) FROM migration_runs WHERE service = run.service) - :kept
) ORDER BY number
"""


async def read_runs(
    db: aiosqlite.Connection, service: str, deployments: Sequence[Deployment]
) -> tuple[MigrationRun, ...]:
    """The runs that an aggregate with these deployments carries, oldest first."""
    oldest = min((each.revision for each in deployments), default=None)
    values = {"service": service, "oldest": oldest, "kept": KEPT_RUNS}
    return kept_runs((read_run(row) for row in await db.execute_fetchall(_RUNS, values)), deployments)


def kept_runs(runs: Iterable[MigrationRun], deployments: Iterable[Deployment]) -> tuple[MigrationRun, ...]:
    """Those among the runs, oldest first, that an aggregate with these deployments carries."""
    runs, carried = tuple(runs), {each.revision for each in deployments}
    last_good = {each.deployment: each.id for each in runs if each.has_passed and each.deployment in carried}
    newest = runs[-1].id if runs else 0
    return tuple(each for each in runs if each.id > newest - KEPT_RUNS or each.id in last_good.values())


async def read_history(db: aiosqlite.Connection, service: str, limit: int) -> Sequence[MigrationRun]:
    """See `Store.migration_runs`."""
    rows = await db.execute_fetchall(
        "SELECT * FROM migration_runs WHERE service = ? ORDER BY number DESC LIMIT ?", (service, limit)
    )
    return [read_run(row) for row in rows]


async def read_ledger(db: aiosqlite.Connection, service: str) -> tuple[AppliedMigration, ...]:
    """What is known to be applied, in the order in which that became known."""
    rows = await db.execute_fetchall(
        "SELECT * FROM migrations WHERE service = ? AND NOT lost ORDER BY id", (service,)
    )
    return tuple(read_applied(row) for row in rows)


async def write_migrations(
    db: aiosqlite.Connection, stored: ServiceAggregate, wanted: ServiceAggregate, events: Iterable[Event]
) -> None:
    """Write the runs that differ, and what is new in the ledger, or lost. Raises Refused where the ledger has
    become another one, and no event says that its database has lost something."""
    known = {each.id: each for each in stored.migration_runs}
    for run in wanted.migration_runs:
        if run == known.get(run.id):
            continue
        row = run_row(run)
        if run.id in known:
            await db.execute(update("migration_runs", row, ("service", "number")), row)
        else:
            await db.execute(insertion("migration_runs", row), row)
    await _write_ledger(db, stored, wanted, any(each.what is What.LEDGER_LOST for each in events))


async def _write_ledger(
    db: aiosqlite.Connection, stored: ServiceAggregate, wanted: ServiceAggregate, may_lose: bool
) -> None:
    there = set(wanted.ledger)
    kept = tuple(each for each in stored.ledger if each in there)
    lost = [each for each in stored.ledger if each not in there]
    if (lost and not may_lose) or wanted.ledger[: len(kept)] != kept:
        raise Refused(f"A write of {stored.name} changes what is applied to its database already.")
    for each in lost:
        await db.execute(
            "UPDATE migrations SET lost = 1 WHERE service = ? AND number = ? AND phase = ? AND NOT lost",
            (stored.name, each.migration.number, each.migration.phase),
        )
    for applied in wanted.ledger[len(kept) :]:
        row = applied_row(wanted.name, applied)
        await db.execute(insertion("migrations", row), row)
