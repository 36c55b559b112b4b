"""Migrations over real gRPC: what is asked reaches the controller, and what comes back tells all of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import grpc
import pytest

from bluegreen.admin.migration_views import PLANNED, STATUS_FINDINGS
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.model.database import Database
from bluegreen.model.deployment import Status
from bluegreen.model.errors import Refused
from bluegreen.model.event import Origin
from bluegreen.model.migration import (
    AppliedMigration,
    LintFinding,
    MigrationName,
    MigrationPlan,
    MigrationProgress,
    Phase,
    PlannedMigration,
)
from bluegreen.model.secret import Secret
from bluegreen.model.traffic_report import ProxyReport
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout.operations import MigrateCommand
from bluegreen.rollout.standing import Standing
from tests.admin.puppet_operations import STARTED, PuppetOperations
from tests.admin.test_servicer import refusal
from tests.deployment_store.samples import SHOP
from tests.deployment_store.samples import deployment as new_deployment

WHO = pb.Origin(actor="olga", reason="because")
URL = "postgresql://owner:hunter2@db.internal:5432/shop"
DATABASE = Database(Secret(URL), "/srv/{version}")
EXPAND, BACKFILL, CONTRACT = (MigrationName(2, "split_name", phase) for phase in Phase)
APPLIED = AppliedMigration(EXPAND, "c0ffee", "v2", "olga", STARTED, 0.25)


@pytest.fixture
def shop(operations: PuppetOperations) -> PuppetOperations:
    """v1 is active, v2 ready; the service has a database."""
    first, second = (
        new_deployment(1),
        replace(new_deployment(2), environment=new_deployment(2).environment.other),
    )
    operations.show(
        replace(
            operations.shop,
            service=replace(SHOP, database=DATABASE),
            deployments=(
                replace(first, status=Status.ACTIVE),
                replace(second, status=Status.READY),
            ),
            ledger=(APPLIED,),
            last_deployment_revision=2,
        )
    )
    return operations


async def status(admin: Any, **request: Any) -> Any:
    return await admin.GetStatus(pb.GetStatusRequest(service="shop", **request))


async def test_what_is_asked_reaches_the_controller(shop: PuppetOperations, admin: Any) -> None:
    answer = await admin.Migrate(
        pb.MigrateRequest(
            origin=WHO,
            service="shop",
            phase="contract",
            version="v2",
            accept_drift=True,
            retire_standby=True,
            expected=pb.Standing(step=-1, active_revision=2),
        )
    )
    assert shop.asked == [
        (
            "migrate",
            MigrateCommand(
                "shop",
                Phase.CONTRACT,
                "v2",
                accept_drift=True,
                retire_standby=True,
                expected=Standing(active=2),
            ),
            Origin("olga", "because"),
        )
    ]
    assert answer.message == "The contract of v2 begins."
    run = answer.migration_run
    assert (run.id, run.phase, run.version, run.verdict, run.accept_drift) == (1, "contract", "v2", "", True)
    assert answer.status.migration_runs[0] == run


async def test_a_run_is_given_up(shop: PuppetOperations, admin: Any) -> None:
    shop.want_run(Phase.BACKFILL, "v2")
    answer = await admin.StopMigration(pb.CommandRequest(origin=WHO, service="shop"))
    assert shop.asked == [("stop_migration", "shop", Origin("olga", "because"))]
    assert (answer.migration_run.id, answer.migration_run.verdict) == (1, "inconclusive")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (pb.MigrateRequest(phase="expand"), "Say which service"),
        (pb.MigrateRequest(service="shop"), "'' is no phase of migrations: expand, backfill, contract"),
        (pb.MigrateRequest(service="shop", phase="x" * 99), "is no phase"),
        (pb.MigrateRequest(service="shop", phase="expand", version="../v2"), "is no version"),
        (pb.MigrateRequest(service="shop", phase="expand", accept_drift=True), "give a reason"),
    ],
    ids=str,
)
async def test_words_that_are_wrong_in_any_state(
    admin: Any, request_: pb.MigrateRequest, words: str, operations: PuppetOperations
) -> None:
    code, message, _ = await refusal(admin.Migrate(request_))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert words in message
    assert operations.asked == []


async def test_a_plan_is_told_whole(shop: PuppetOperations, admin: Any) -> None:
    shop.plan = MigrationPlan(
        applied=(APPLIED,),
        pending=(PlannedMigration(BACKFILL, "0002_split_name.backfill.sql", ("UPDATE people",)),),
        problems=("a file was changed",),
        findings=(
            LintFinding("f.sql", 3, 7, "renaming-column", "it breaks v1", "add a column", refused=False),
        ),
        drift=("people.nick was added",),
    )
    plan = await admin.PlanMigrations(pb.PlanMigrationsRequest(service="shop", version="v2"))
    assert shop.asked[0][1] == {"version": "v2"}
    (applied,), (pending,), (found,) = plan.applied, plan.pending, plan.findings
    assert (applied.migration.number, applied.migration.phase) == (2, "expand")
    assert (applied.checksum, applied.version, applied.author) == ("c0ffee", "v2", "olga")
    assert (applied.applied_at, applied.seconds) == (STARTED, 0.25)
    assert (pending.migration.name, pending.migration.phase) == ("split_name", "backfill")
    assert (pending.file, list(pending.statements)) == ("0002_split_name.backfill.sql", ["UPDATE people"])
    assert (found.file, found.line, found.column, found.rule) == ("f.sql", 3, 7, "renaming-column")
    assert (found.reason, found.safe_way, found.refused) == ("it breaks v1", "add a column", False)
    assert (list(plan.problems), list(plan.drift)) == (["a file was changed"], ["people.nick was added"])


async def test_what_is_illegal_is_refused(shop: PuppetOperations, admin: Any) -> None:
    shop.error = Refused("A rollout is open.", "Possible: abort.")
    request = pb.MigrateRequest(service="shop", phase="contract")
    code, message, kind = await refusal(admin.Migrate(request))
    assert (code, kind) == (grpc.StatusCode.FAILED_PRECONDITION, "refused")
    assert message == "A rollout is open. Possible: abort."


async def test_a_status_tells_of_runs_newest_first(shop: PuppetOperations, admin: Any) -> None:
    run = shop.want_run(Phase.EXPAND, "v2", deployment=2)
    finding = Finding("0002_split_name.expand.sql", Verdict.PASS, "2 statements", seconds=0.2)
    left = {"backfills_left": (BACKFILL,), "contracts_left": (CONTRACT,)}
    shop.end_run(run, Verdict.PASS, "1 file is applied", finding, **left)
    shop.want_run(Phase.BACKFILL, "v2", deployment=2)
    shop.go_on(MigrationProgress("0002_split_name.backfill.sql", 500, 1000, 100.0, "waits for a lock"))
    told = await status(admin)
    assert told.database == "db.internal:5432/shop"
    assert [(each.id, each.phase, each.verdict) for each in told.migration_runs] == [
        (2, "backfill", ""),
        (1, "expand", "pass"),
    ]
    expand = told.migration_runs[1]
    assert (expand.deployment_revision, expand.author, expand.summary) == (2, "olga", "1 file is applied")
    assert [(each.name, each.seconds) for each in expand.findings] == [("0002_split_name.expand.sql", 0.2)]
    assert list(expand.backfills_left) == ["0002_split_name.backfill"]
    assert (expand.wanted_at, expand.begun_at, expand.finished_at) == (STARTED, STARTED, STARTED + 4)
    progress = told.migration_progress
    assert (progress.file, progress.rows_done, progress.rows_total) == (
        "0002_split_name.backfill.sql",
        500,
        1000,
    )
    assert (progress.rows_per_second, progress.seconds_left, progress.note) == (100, 5, "waits for a lock")
    assert told.way_back_ends == "The way back to v1 ends with the contract of 0002_split_name."
    (still,) = told.migrations_left
    assert (still.version, list(still.backfills), list(still.contracts)) == (
        "v2",
        ["0002_split_name.backfill"],
        ["0002_split_name.contract"],
    )


async def test_what_is_not_known_is_not_made_up(shop: PuppetOperations, admin: Any) -> None:
    told = await status(admin)
    assert not told.HasField("migration_progress")
    assert not told.migration_runs
    assert not told.migrations_left
    assert told.way_back_ends == ""
    shop.want_run(Phase.BACKFILL, "v2")
    shop.go_on(MigrationProgress("f.sql", 7))
    progress = (await status(admin)).migration_progress
    assert (progress.rows_total, progress.seconds_left) == (-1, -1)


async def test_the_ledger_is_told_where_it_is_asked_for(shop: PuppetOperations, admin: Any) -> None:
    assert not (await status(admin)).ledger
    (applied,) = (await status(admin, ledger=True)).ledger
    assert (applied.migration.number, applied.checksum, applied.seconds) == (2, "c0ffee", 0.25)


async def test_nothing_tells_the_secret(shop: PuppetOperations, admin: Any) -> None:
    shop.want_run(Phase.EXPAND, "v2")
    assert "hunter2" not in str(await status(admin, ledger=True))


async def test_no_proxy_has_acknowledged_what_is_expanding(shop: PuppetOperations, admin: Any) -> None:
    shop.report(ProxyReport("edge-1", "edge", connected=True, routes_acknowledged_at=1.0))
    assert [each.acknowledged_by for each in (await status(admin)).deployments] == [1, 1]
    shop.move(2, Status.EXPANDING)
    assert [each.acknowledged_by for each in (await status(admin)).deployments] == [1, 0]


async def test_what_a_status_tells_of_runs_has_a_bound(shop: PuppetOperations, admin: Any) -> None:
    many = [Finding(f"f{number}", Verdict.FAIL, "no") for number in range(150)]
    for version in ("v2", "v3"):
        shop.end_run(shop.want_run(Phase.EXPAND, version), Verdict.FAIL, "It failed", *many)
    newest, older = (await status(admin)).migration_runs
    assert (newest.version, len(newest.findings)) == ("v3", 150)
    assert (older.version, len(older.findings)) == ("v2", STATUS_FINDINGS - 150)


async def test_what_a_plan_tells_has_a_bound_and_says_first_what_is_refused(
    shop: PuppetOperations, admin: Any
) -> None:
    told = LintFinding("f.sql", 1, 1, "prefer-text-field", "style", refused=False)
    refused = replace(told, rule="renaming-column", refused=True)
    pending = PlannedMigration(BACKFILL, "f.sql", ("SELECT 1",) * (PLANNED - 1))
    shop.plan = MigrationPlan((), (pending, pending, pending), findings=(*(told,) * PLANNED, refused))
    plan = await admin.PlanMigrations(pb.PlanMigrationsRequest(service="shop"))
    assert [len(each.statements) for each in plan.pending] == [PLANNED - 1, 1, 0]
    assert (len(plan.findings), plan.findings[0].rule) == (PLANNED, "renaming-column")
