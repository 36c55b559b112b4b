"""Migrations as the API shows them: what is applied, what runs, what would be done. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bluegreen.admin.gate_views import STATUS_OUTPUT, finding_views
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.connection_string import database_at
from bluegreen.model.errors import InvalidInput
from bluegreen.model.migration import (
    AppliedMigration,
    LintFinding,
    MigrationName,
    MigrationPlan,
    MigrationProgress,
    PlannedMigration,
)
from bluegreen.model.migration_run import MigrationRun
from bluegreen.rollout.migrations import pending_after, way_back_ends
from bluegreen.rollout.operations import ServiceView

UNKNOWN = -1

STATUS_FINDINGS = 200
"""Of all runs in one status, which may be sent ten times a second."""

HISTORY_FINDINGS = 2000
"""Of all runs in one history: a client takes four MiB unless it says otherwise."""

PLANNED = 2000
"""Lines of statements in one plan, and so many findings of each kind."""


def add_migrations(status: pb.ServiceStatus, view: ServiceView) -> None:
    """Tell of the runs, newest first, of the one that is under way, and of what ends the way back."""
    aggregate = view.aggregate
    status.database = _database(aggregate)
    status.migration_runs.extend(run_views(reversed(aggregate.migration_runs), STATUS_FINDINGS))
    if view.migration is not None and aggregate.open_run is not None:
        status.migration_progress.CopyFrom(progress_view(view.migration))
    status.way_back_ends = way_back_ends(aggregate)
    status.migrations_left.extend(_left(aggregate))


def _left(aggregate: ServiceAggregate) -> Iterator[pb.MigrationsLeft]:
    present = [each.version for each in aggregate.deployments if each.status.is_open]
    for version in dict.fromkeys([*present, *(run.version for run in aggregate.migration_runs[-1:])]):
        left = pending_after(aggregate, version)
        if left.backfills or left.contracts:
            backfills, contracts = map(str, left.backfills), map(str, left.contracts)
            yield pb.MigrationsLeft(version=version, backfills=backfills, contracts=contracts)


def _database(aggregate: ServiceAggregate) -> str:
    database = aggregate.service.database
    if database is None:
        return ""
    try:
        return database_at(database.url.value)
    except InvalidInput:  # a connection string from before its form was checked
        return "a database"


def run_views(runs: Iterable[MigrationRun], findings: int = HISTORY_FINDINGS) -> list[pb.MigrationRun]:
    """With so many findings, which the first runs get first."""
    views = []
    for run in runs:
        views.append(run_view(run, findings))
        findings -= len(views[-1].findings)
    return views


def run_view(run: MigrationRun, findings: int = STATUS_FINDINGS) -> pb.MigrationRun:
    return pb.MigrationRun(
        id=run.id,
        version=run.version,
        phase=run.phase,
        deployment_revision=run.deployment or 0,
        author=run.author,
        accept_drift=run.accept_drift,
        verdict=run.verdict or "",
        summary=run.summary,
        findings=finding_views(run.findings[:findings], STATUS_OUTPUT),
        wanted_at=run.wanted_at,
        begun_at=run.begun_at or 0.0,
        finished_at=run.finished_at or 0.0,
        backfills_left=map(str, run.backfills_left),
        contracts_left=map(str, run.contracts_left),
    )


def progress_view(progress: MigrationProgress) -> pb.MigrationProgress:
    left = progress.seconds_left
    return pb.MigrationProgress(
        file=progress.file,
        rows_done=progress.rows_done,
        rows_total=progress.rows_total,
        rows_per_second=progress.rows_per_second,
        seconds_left=UNKNOWN if left is None else left,
        note=progress.note,
    )


def applied_view(applied: AppliedMigration) -> pb.AppliedMigration:
    return pb.AppliedMigration(
        migration=_migration_view(applied.migration),
        checksum=applied.checksum,
        version=applied.version,
        author=applied.author,
        applied_at=applied.applied_at,
        seconds=applied.seconds,
    )


def plan_view(plan: MigrationPlan) -> pb.MigrationPlan:
    """Where there is more to say than anybody reads, what is refused is said first."""
    findings = sorted(plan.findings, key=lambda each: not each.refused)
    return pb.MigrationPlan(
        applied=map(applied_view, plan.applied),
        pending=_planned_views(plan.pending),
        problems=plan.problems[:PLANNED],
        findings=map(_lint_view, findings[:PLANNED] if len(findings) > PLANNED else plan.findings),
        drift=plan.drift[:PLANNED],
    )


def _migration_view(name: MigrationName) -> pb.Migration:
    return pb.Migration(number=name.number, name=name.name, phase=name.phase)


def _planned_views(pending: Iterable[PlannedMigration]) -> Iterator[pb.PlannedMigration]:
    lines = PLANNED
    for each in pending:
        yield pb.PlannedMigration(
            migration=_migration_view(each.migration), file=each.file, statements=each.statements[:lines]
        )
        lines = max(0, lines - len(each.statements))


def _lint_view(found: LintFinding) -> pb.LintFinding:
    return pb.LintFinding(
        file=found.file,
        line=found.line,
        column=found.column,
        rule=found.rule,
        reason=found.reason,
        safe_way=found.safe_way,
        refused=found.refused,
    )
