"""migrations, and what they make of the other verbs: the real command against a puppet's service."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bluegreen.admin.cli.migration_bar import rows_line
from bluegreen.admin.cli.migration_plan_view import would_be_refused
from bluegreen.admin.v1 import admin_pb2 as pb
from bluegreen.model.check import CheckKind
from bluegreen.model.deployment import Status
from bluegreen.model.errors import Refused
from bluegreen.model.migration import (
    LintFinding,
    MigrationPlan,
    MigrationProgress,
    Phase,
    PlannedMigration,
)
from bluegreen.model.migration_run import MigrationRun
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout.operations import MigrateCommand
from bluegreen.rollout.standing import standing
from tests.admin.conftest import AdminServer, Run, Start
from tests.admin.puppet_operations import STARTED, PuppetOperations
from tests.admin.test_servicer_migrations import APPLIED, BACKFILL, CONTRACT, shop

__all__ = ["shop"]

FILE = "0002_split_name.backfill.sql"
LEFT: dict[str, Any] = {"backfills_left": (BACKFILL,), "contracts_left": (CONTRACT,)}
PENDING = PlannedMigration(BACKFILL, FILE, ("UPDATE people SET first_name = 'x'", "..."))
RENAMES = LintFinding("0002_split_name.expand.sql", 3, 7, "renaming-column", "v1 reads it", "add a column")


def expanded(shop: PuppetOperations) -> MigrationRun:
    """v2 of the service has its expand behind it."""
    run = shop.want_run(Phase.EXPAND, "v2", deployment=2)
    shop.end_run(run, Verdict.PASS, "1 file is applied", **LEFT)
    return run


# --- run ---


async def test_expand_waits_and_says_what_is_next(
    shop: PuppetOperations, start: Start, server: AdminServer
) -> None:
    arguments = ("expand", "shop", "v3", "--accept-drift", "--reason", "a hotfix", "--actor", "olga")
    running = await start("migrations", *arguments, admin=server.address)
    await running.says("The expand of v3 begins.")
    (asked,) = shop.asked
    assert asked[1] == MigrateCommand("shop", Phase.EXPAND, "v3", accept_drift=True)
    assert asked[2].reason == "a hotfix"
    shop.go_on(MigrationProgress("0003_nick.expand.sql", note="waits for a lock on people"))
    await running.says("0003_nick.expand.sql is being applied")
    await running.says("0003_nick.expand.sql: waits for a lock on people")
    (run,) = shop.shop.migration_runs
    shop.end_run(run, Verdict.PASS, "1 file is applied")
    ended = await running.ends()
    assert (ended.code, ended.out) == (0, "1 file is applied. Next: bluegreen deploy shop v3\n")


async def test_an_expand_is_done_once_the_active_version_lives_with_it(
    shop: PuppetOperations, start: Start, server: AdminServer
) -> None:
    running = await start("migrations", "expand", "shop", "v2", admin=server.address)
    await running.says("begins")
    (run,) = shop.shop.migration_runs
    over = replace(run, verdict=Verdict.PASS, summary="1 file is applied", finished_at=STARTED)
    check = shop.want(CheckKind.TESTS_OF_ACTIVE, 1, "migration 1", into=shop.shop.with_migration_run(over))
    await running.says("1 file is applied.")
    shop.conclude(check, Verdict.FAIL, "1 of 2 tests failed", Finding("home", Verdict.FAIL, "status 500"))
    ended = await running.ends()
    assert (ended.code, ended.out) == (1, "")
    *_, finding, error = ended.err.splitlines()
    assert finding == "  fail          home: status 500"
    assert error == "Error: 1 file is applied, but then: 1 of 2 tests failed."


async def test_what_failed_is_told_with_file_and_line(
    shop: PuppetOperations, start: Start, server: AdminServer
) -> None:
    running = await start("migrations", "contract", "shop", "--retire-standby", admin=server.address)
    await running.says("begins")
    seen = standing(shop.shop)
    assert shop.asked[0][1] == MigrateCommand("shop", Phase.CONTRACT, retire_standby=True, expected=seen)
    (run,) = shop.shop.migration_runs
    syntax = Finding(
        "0002_split_name.contract.sql:4:9", Verdict.FAIL, 'syntax error at or near "DORP" (42601)'
    )
    shop.end_run(run, Verdict.FAIL, "0002_split_name.contract.sql failed", syntax)
    ended = await running.ends()
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines()[-2:] == [
        '  fail          0002_split_name.contract.sql:4:9: syntax error at or near "DORP" (42601)',
        "Error: 0002_split_name.contract.sql failed.",
    ]


async def test_a_backfill_tells_its_rate_and_the_time_left(
    shop: PuppetOperations, start: Start, server: AdminServer
) -> None:
    expanded(shop)
    running = await start("migrations", "backfill", "shop", admin=server.address)
    await running.says("begins")
    shop.go_on(MigrationProgress(FILE, 412_000, 1_000_000, 20_312.4))
    await running.says(f"{FILE}: 412,000 of about 1,000,000 rows (41 %), 20,312 rows/s, 29s left")
    shop.go_on(MigrationProgress(FILE, 500_000, 1_000_000, 20_000.0))  # too early for another line
    shop.end_run(shop.shop.migration_runs[-1], Verdict.PASS, "1,000,000 rows", contracts_left=(CONTRACT,))
    ended = await running.ends()
    assert (ended.code, ended.out) == (0, "1,000,000 rows. Next: bluegreen promote shop\n")
    assert "500,000" not in ended.err


async def test_who_gives_it_up_ends_the_wait_with_3(
    shop: PuppetOperations, start: Start, server: AdminServer, run: Run
) -> None:
    expanded(shop)
    running = await start("migrations", "backfill", "shop", admin=server.address)
    await running.says("begins")
    stopped = await run("migrations", "stop", "shop", "--actor", "olga")
    assert (stopped.code, stopped.out) == (0, "It is given up.\n")
    ended = await running.ends()
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.splitlines()[-1] == (
        "Error: Migration 2 (backfill of v2) is stopped by olga. Next: bluegreen migrations backfill shop"
    )


async def test_the_work_goes_on_when_the_wait_ends(shop: PuppetOperations, run: Run) -> None:
    ended = await run("migrations", "backfill", "shop", "--timeout", "300ms")
    assert (ended.code, ended.out) == (4, "")
    assert "The work goes on. Look at it with bluegreen status shop --watch" in ended.err
    shop.end_run(shop.shop.migration_runs[-1], Verdict.PASS, "done")
    ended = await run("migrations", "backfill", "shop", "--no-wait")
    assert (ended.code, ended.out) == (0, "The backfill of v2 begins.\n")


async def test_drift_is_accepted_for_a_reason(shop: PuppetOperations, run: Run) -> None:
    ended = await run("migrations", "expand", "shop", "v2", "--accept-drift")
    assert (ended.code, ended.out) == (2, "")
    assert "say it with --reason" in ended.err
    assert shop.asked == []


async def test_what_is_refused_says_why(shop: PuppetOperations, run: Run) -> None:
    shop.error = Refused("v1 is still warm.", "Possible: migrations contract --retire-standby.")
    ended = await run("migrations", "contract", "shop")
    assert (ended.code, ended.out) == (5, "")
    assert ended.err == "Error: v1 is still warm. Possible: migrations contract --retire-standby.\n"


async def test_the_run_as_json(shop: PuppetOperations, start: Start, server: AdminServer) -> None:
    running = await start("migrations", "expand", "shop", "v3", "-o", "json", admin=server.address)
    await running.says("begins")
    shop.end_run(
        shop.shop.migration_runs[0], Verdict.FAIL, "refused", Finding("f.sql:1:2", Verdict.FAIL, "no")
    )
    ended = await running.ends()
    assert ended.code == 1
    told = json.loads(ended.out)["migration_run"]
    assert (told["phase"], told["version"], told["verdict"]) == ("expand", "v3", "fail")
    assert [each["name"] for each in told["findings"]] == ["f.sql:1:2"]


# --- plan ---


async def test_a_plan_with_nothing_wrong_ends_with_0(shop: PuppetOperations, run: Run) -> None:
    shop.plan = MigrationPlan((APPLIED,), (PENDING,), findings=(replace(RENAMES, refused=False),))
    ended = await run("migrations", "plan", "shop", "v2")
    assert shop.asked[0][1] == {"version": "v2"}
    assert (ended.code, ended.err) == (0, "")
    head, first, second, _, title, finding, safe, last = map(str.rstrip, ended.out.splitlines())
    assert head.split() == ["PENDING", "STATEMENTS"]
    assert (first.split(maxsplit=1), second.strip()) == ([FILE, "UPDATE people SET first_name = 'x'"], "...")
    assert title == "Findings"
    assert finding == "  0002_split_name.expand.sql:3:7: told  renaming-column: v1 reads it"
    assert safe == "      safe way: add a column"
    assert last == "1 file of v2 of shop to apply; 1 applied."


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"problems": ("0001_people.expand.sql was changed",)}, "1 problem"),
        ({"drift": ("people.nick was added", "people.age was dropped")}, "2 differences of the schema"),
        ({"findings": (RENAMES,)}, "1 finding"),
    ],
    ids=["problems", "drift", "findings"],
)
async def test_a_plan_that_would_be_refused_ends_with_5(
    shop: PuppetOperations, run: Run, wrong: dict[str, Any], words: str
) -> None:
    shop.plan = replace(MigrationPlan((), ()), **wrong)
    ended = await run("migrations", "plan", "shop")
    assert ended.code == 5
    assert ended.err.startswith(f"Error: The migrations of shop would be refused: {words}")
    (value,) = wrong.values()
    assert (value[0] if isinstance(value[0], str) else "refused  renaming-column") in ended.out
    told = await run("migrations", "plan", "shop", "-o", "json")
    assert told.code == 5
    assert set(wrong) <= set(json.loads(told.out))


def test_the_reasons_are_counted() -> None:
    plan = pb.MigrationPlan(problems=["a"], drift=["b"], findings=[pb.LintFinding(refused=False)])
    assert would_be_refused(plan) == ["1 problem", "1 difference of the schema from the ledger"]
    assert would_be_refused(pb.MigrationPlan()) == []


# --- status ---


async def test_the_status_of_migrations(shop: PuppetOperations, run: Run) -> None:
    expanded(shop)
    ended = await run("migrations", "status", "shop")
    assert ended.code == 0
    first, head, row, _, expand, way_back, following = ended.out.splitlines()
    assert first == "shop  database db.internal:5432/shop"
    assert head.split() == ["NUMBER", "NAME", "EXPAND", "BACKFILL", "CONTRACT"]
    assert row.split()[:2] == ["0002", "split_name"]
    assert "250 ms  v2, olga" in row
    assert row.rstrip().endswith("to come   to come")
    assert expand.startswith("Expand of v2: pass, ")
    assert expand.endswith(" ago: 1 file is applied")
    assert way_back == "The way back to v1 ends with the contract of 0002_split_name."
    assert following == "Next: bluegreen migrations backfill shop"


async def test_the_status_while_a_backfill_is_under_way(shop: PuppetOperations, run: Run) -> None:
    expanded(shop)
    shop.want_run(Phase.BACKFILL, "v2")
    shop.go_on(MigrationProgress(FILE, 50, 100, 10.0, "people is locked by pid 7\x1b[2J"))
    for verb in (("migrations", "status"), ("status",)):
        shown = (await run(*verb, "shop")).out
        (line,) = [each for each in shown.splitlines() if each.startswith("Backfill of v2: under way for ")]
        assert line.endswith(f": {FILE}, 50 of about 100 rows (50 %), 10 rows/s, 5s left")
        assert "\n  waits: people is locked by pid 7 [2J\n" in shown
        assert "\nThe way back to v1 ends with the contract of 0002_split_name.\n" in shown
    shown = (await run("migrations", "status", "shop")).out
    assert " under way  to come" in shown
    assert shown.endswith("Give it up with: bluegreen migrations stop shop\n")


async def test_the_contract_comes_once_the_old_version_is_retired(shop: PuppetOperations, run: Run) -> None:
    expanded(shop)
    shop.end_run(shop.want_run(Phase.BACKFILL, "v2"), Verdict.PASS, "done", contracts_left=(CONTRACT,))
    shop.move(2, Status.ACTIVE)
    shop.move(1, Status.STANDBY)
    last = (await run("migrations", "status", "shop")).out.splitlines()[-1]
    assert last == (
        "Next, once v1 is retired: bluegreen migrations contract shop (at once, giving the way back up, with "
        "--retire-standby)"
    )
    shop.move(1, Status.RETIRED)
    last = (await run("migrations", "status", "shop")).out.splitlines()[-1]
    assert last == "Next: bluegreen migrations contract shop"


async def test_a_service_without_a_database_says_so(run: Run) -> None:
    ended = await run("migrations", "status", "shop")
    assert (ended.code, ended.out) == (
        0,
        "The service file says nothing of a database of shop: see services.shop.database\n",
    )


# --- other verbs ---


async def test_deploy_waits_out_the_expand(shop: PuppetOperations, start: Start, server: AdminServer) -> None:
    running = await start("deploy", "shop", "v3", "--wait", admin=server.address)
    await running.says("v3 goes to green.")
    shop.move(3, Status.EXPANDING)
    run = shop.want_run(Phase.EXPAND, "v3", deployment=3)
    await running.says("v3 on green (revision 3) is expanding")
    syntax = Finding("0003_nick.expand.sql:1:1", Verdict.FAIL, "syntax error")
    shop.end_run(run, Verdict.FAIL, "0003_nick.expand.sql failed", syntax)
    shop.move(3, Status.FAILED, "the expand failed")
    ended = await running.ends()
    assert ended.code == 1
    assert ended.err.splitlines()[-2:] == [
        "  fail          0003_nick.expand.sql:1:1: syntax error",
        "Error: v3 (revision 3) failed: the expand failed. Once that is put right: bluegreen retry shop",
    ]


async def test_deploy_says_that_the_backfill_comes_before_the_promotion(
    shop: PuppetOperations, start: Start, server: AdminServer
) -> None:
    running = await start("deploy", "shop", "v3", "--wait", admin=server.address)
    await running.says("v3 goes to green.")
    run = shop.want_run(Phase.EXPAND, "v3", deployment=3)
    shop.end_run(run, Verdict.PASS, "1 file of expand applied", **LEFT)
    shop.move(3, Status.READY)
    ended = await running.ends()
    assert ended.out == "v3 (revision 3) is ready on green. Next: bluegreen migrations backfill shop\n"


def test_rows_are_told_as_far_as_they_are_known() -> None:
    assert rows_line(pb.MigrationProgress(rows_done=1200, rows_total=-1, seconds_left=-1)) == "1,200 rows"
    over = pb.MigrationProgress(rows_done=110, rows_total=100, rows_per_second=5, seconds_left=0)
    assert rows_line(over) == "110 of about 100 rows (100 %), 5 rows/s, 0s left"
