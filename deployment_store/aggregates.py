"""The tables of one service, read and written as one aggregate."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

import aiosqlite

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.check import Check
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.environment import Environment
from bluegreen.model.errors import Conflict, Refused, UnknownName
from bluegreen.model.event import Event
from bluegreen.model.rollout import Rollout
from bluegreen.model.traffic_rule import TrafficRule
from deployment_store.accounting import check_accounts
from deployment_store.history import append_events
from deployment_store.ledger import kept_runs, read_ledger, read_runs, write_migrations
from deployment_store.records import (
    SERVICE,
    check_row,
    deployment_row,
    insertion,
    read_check,
    read_deployment,
    read_rollout,
    rollout_row,
    update,
)

_SERVICES = """
SELECT name, spec, services.revision, active_environment, cutover_percent,
    (SELECT coalesce(max(revision), 0) FROM deployments WHERE service = name) AS last_deployment_revision,
    (SELECT coalesce(max(number), 0) FROM rollouts WHERE service = name) AS last_rollout_id,
    (SELECT coalesce(max(number), 0) FROM checks WHERE service = name) AS last_check_id,
    (SELECT coalesce(max(number), 0) FROM migration_runs WHERE service = name) AS last_migration_run_id
FROM services JOIN traffic_rules ON service = name WHERE NOT removed
"""
# What proxies may still hold belongs to the aggregate, and what is still asked about; what is over and
# released is history.
_DEPLOYMENTS = """
SELECT * FROM deployments
WHERE service = ? AND (status NOT IN ('retired', 'failed') OR released_at IS NULL OR (
    provisioning <> 'null' AND stopped_at IS NULL
) OR EXISTS (
    SELECT 1 FROM checks
    WHERE checks.service = deployments.service AND deployment = revision AND verdict IS NULL
)) ORDER BY revision
"""
_CHECKS = "SELECT * FROM checks WHERE service = ? AND deployment >= ? ORDER BY number DESC LIMIT ?"
_LAST_ROLLOUT = "SELECT * FROM rollouts WHERE service = ? ORDER BY number DESC LIMIT 1"


KEPT_CHECKS = 100
"""Checks that an aggregate carries; an open one is always among the newest."""


async def read_aggregate(db: aiosqlite.Connection, service: str) -> ServiceAggregate:
    """The aggregate of one service. Raises UnknownName."""
    for row in await db.execute_fetchall(f"{_SERVICES} AND name = ?", (service,)):
        return await _aggregate(db, row)
    known = await db.execute_fetchall("SELECT name FROM services WHERE NOT removed")
    raise UnknownName("service", service, (row["name"] for row in known))


async def read_aggregates(db: aiosqlite.Connection) -> dict[str, ServiceAggregate]:
    """The aggregates of all services, by name."""
    rows = await db.execute_fetchall(f"{_SERVICES} ORDER BY name")
    return {row["name"]: await _aggregate(db, row) for row in rows}


async def _aggregate(db: aiosqlite.Connection, row: sqlite3.Row) -> ServiceAggregate:
    name, active = row["name"], row["active_environment"]
    rows = await db.execute_fetchall(_DEPLOYMENTS, (name,))
    deployments = tuple(read_deployment(each) for each in rows)
    rollouts = await db.execute_fetchall(_LAST_ROLLOUT, (name,))
    oldest = min((each.revision for each in deployments), default=0)
    checks = await db.execute_fetchall(_CHECKS, (name, oldest, KEPT_CHECKS))
    return ServiceAggregate(
        service=SERVICE.validate_json(row["spec"]),
        traffic=TrafficRule(name, Environment(active) if active else None, row["cutover_percent"]),
        revision=row["revision"],
        deployments=deployments,
        rollout=next((read_rollout(each) for each in rollouts), None),
        last_deployment_revision=row["last_deployment_revision"],
        last_rollout_id=row["last_rollout_id"],
        checks=tuple(read_check(each) for each in checks)[::-1],
        last_check_id=row["last_check_id"],
        migration_runs=await read_runs(db, name, deployments),
        last_migration_run_id=row["last_migration_run_id"],
        ledger=await read_ledger(db, name),
    )


async def write_aggregate(
    db: aiosqlite.Connection, wanted: ServiceAggregate, expected_revision: int, events: Sequence[Event]
) -> ServiceAggregate:
    """Write what differs from the stored aggregate, and the events; see `Store.compare_and_set`."""
    stored = await read_aggregate(db, wanted.name)
    if stored.revision != expected_revision:
        raise Conflict(
            f"Service {wanted.name!r} changed meanwhile (revision {expected_revision} is now"
            f" {stored.revision}). Look at its status and try again."
        )
    check_accounts(stored, wanted, events)
    try:
        await _write_deployments(db, stored, wanted)
        await _write_traffic(db, stored.traffic, wanted.traffic)
        await _write_rollout(db, stored.rollout, wanted.rollout)
        await _write_checks(db, stored.checks, wanted.checks)
        await write_migrations(db, stored, wanted, events)
        await db.execute("UPDATE services SET revision = revision + 1 WHERE name = ?", (wanted.name,))
        await append_events(db, events)
    except sqlite3.IntegrityError as error:
        raise Refused(f"The change of service {wanted.name!r} is refused: {_reason(error)}") from error
    asked_about = {check.deployment for check in wanted.checks if check.is_open}
    deployments = tuple(
        each
        for each in wanted.deployments
        if each.status.is_open or each.is_held or each.has_instances or each.revision in asked_about
    )
    oldest = min((each.revision for each in deployments), default=0)
    return replace(
        wanted,
        service=stored.service,
        revision=stored.revision + 1,
        deployments=deployments,
        checks=tuple(check for check in wanted.checks if check.deployment >= oldest)[-KEPT_CHECKS:],
        migration_runs=kept_runs(wanted.migration_runs, deployments),
        last_migration_run_id=max(stored.last_migration_run_id, wanted.last_migration_run_id),
        last_check_id=max(stored.last_check_id, *(each.id for each in wanted.checks), 0),
        last_deployment_revision=max(
            stored.last_deployment_revision, *(each.revision for each in wanted.deployments), 0
        ),
        last_rollout_id=max(stored.last_rollout_id, wanted.rollout.id if wanted.rollout else 0),
    )


async def _write_deployments(
    db: aiosqlite.Connection, stored: ServiceAggregate, wanted: ServiceAggregate
) -> None:
    before = {each.revision: each for each in stored.deployments}
    # A place is given up before another takes it: the unique indexes look at every single statement.
    for deployment in sorted(wanted.deployments, key=_claim):
        if deployment == before.get(deployment.revision):
            continue  # before its instances, which may be thousands, are written down
        row = deployment_row(deployment)
        if deployment.revision not in before:
            await db.execute(insertion("deployments", row), row)
        else:
            await db.execute(update("deployments", row, ("service", "revision")), row)


def _claim(deployment: Deployment) -> int:
    if not deployment.status.is_open:
        return 0
    return 2 if deployment.status is Status.ACTIVE else 1


async def _write_traffic(db: aiosqlite.Connection, before: TrafficRule, after: TrafficRule) -> None:
    if after != before:
        await db.execute(
            "UPDATE traffic_rules SET active_environment = ?, cutover_percent = ? WHERE service = ?",
            (after.active_environment, after.cutover_percent, before.service),
        )


async def _write_rollout(db: aiosqlite.Connection, before: Rollout | None, after: Rollout | None) -> None:
    if after is None or after == before:
        return
    row = rollout_row(after)
    if before is not None and before.id == after.id:
        await db.execute(update("rollouts", row, ("service", "number")), row)
    else:
        await db.execute(insertion("rollouts", row), row)


async def _write_checks(db: aiosqlite.Connection, before: Sequence[Check], after: Sequence[Check]) -> None:
    known = {check.id: check for check in before}
    for check in after:
        if check == known.get(check.id):
            continue
        row = check_row(check)
        if check.id in known:
            await db.execute(update("checks", row, ("service", "number")), row)
        else:
            await db.execute(insertion("checks", row), row)


_REASONS = {
    "deployments.service, deployments.environment": "The environment is taken by another open deployment.",
    "deployments.service, deployments.revision": "There is a deployment with this revision already.",
    "checks.service, checks.number": "There is a check with this number already.",
    "migration_runs.service, migration_runs.number": "There is a run with this number already.",
    "migration_runs.service": "Another run of migrations is open.",
    "rollouts.service, rollouts.number": "There is a rollout with this number already.",
    "deployments.service": "Another deployment is active.",
    "rollouts.service": "Another rollout is open.",
}
"""What SQLite's messages mean that name only columns."""


def _reason(error: sqlite3.IntegrityError) -> str:
    columns = str(error).removeprefix("UNIQUE constraint failed: ")
    return _REASONS.get(columns, f"{error}")
