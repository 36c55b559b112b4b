"""Runs of migrations over a real SQLite file: begun when they may, told of, given up, begun again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.catalogue import Catalogue
from bluegreen.model.database import Database
from bluegreen.model.errors import Refused
from bluegreen.model.event import Origin, What
from bluegreen.model.migration import MigrationProgress, Phase
from bluegreen.model.secret import Secret
from bluegreen.model.verdict import Verdict
from bluegreen.rollout.migration_keeper import WAITS_FOR_THE_ONE_BEFORE
from bluegreen.rollout.operations import DeployCommand, MigrateCommand, ServiceView
from tests.rollout.migrating import DATABASE
from tests.rollout.scripted_migrator import SPLIT, ScriptedMigrator
from tests.rollout.test_controller import ANNA, QUICK, Running, catalogue, control

MIGRATED = replace(QUICK, database=DATABASE)


def backfill(version: str = "") -> MigrateCommand:
    return MigrateCommand("shop", Phase.BACKFILL, version)


def is_idle(view: ServiceView) -> bool:
    return view.aggregate.open_run is None


@pytest.fixture
def migrator() -> ScriptedMigrator:
    return ScriptedMigrator()


@pytest.fixture
async def running(tmp_path: Path, migrator: ScriptedMigrator) -> AsyncIterator[Running]:
    async with control(tmp_path / "store.db", migrator=migrator) as each:
        await each.controller.apply(catalogue(MIGRATED), ANNA)
        try:
            yield each
        finally:
            migrator.ends.set()


async def test_a_release_with_all_its_phases(running: Running, migrator: ScriptedMigrator) -> None:
    await running.release("v1")
    deployed = await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    assert (deployed.deployment, deployed.migration) == (2, 2)
    await running.status(2, "ready")
    with pytest.raises(Refused, match="before the backfill of 0002_split_name has run"):
        await running.controller.promote("shop", ANNA)
    asked = await running.controller.migrate(backfill(), ANNA)
    assert (asked.deployment, asked.migration) == (None, 3)
    await running.until(is_idle)
    await running.controller.promote("shop", ANNA)
    await running.status(2, "active")
    contract = MigrateCommand("shop", Phase.CONTRACT, retire_standby=True)
    assert (await running.controller.migrate(contract, ANNA)).migration == 4
    reports = asyncio.ensure_future(running.switch.report_now_and_then())
    view = await running.until(lambda view: len(view.aggregate.ledger) == 3, timeout=10.0)
    reports.cancel()
    assert migrator.applied() == [str(SPLIT[phase]) for phase in Phase]
    assert [(each.version, each.phase) for each in migrator.orders] == [
        ("v1", "expand"),
        ("v2", "expand"),
        ("v2", "backfill"),
        ("v2", "contract"),
    ]
    assert [len(each.known) for each in migrator.orders] == [0, 0, 1, 2]
    assert {each.author for each in migrator.orders} == {"anna (release)"}
    assert view.aggregate.ledger == tuple(migrator.ledger)
    told = [each.message for each in await running.store.events("shop") if each.what is What.MIGRATED]
    assert told[1] == "The expand of v2 (migration 2) has passed: 1 files."


async def test_progress_is_told_while_it_lasts_and_is_no_decision(
    running: Running, migrator: ScriptedMigrator
) -> None:
    await running.release("v1")
    migrator.answers.clear()
    migrator.was_asked.clear()
    migrator.progress = MigrationProgress("0002_split_name.backfill.sql", 10, 100, 5.0)
    changes = running.controller.changes("shop")
    await running.controller.migrate(backfill(), ANNA)
    view = await running.until(lambda view: view.migration is not None)
    assert view.migration == migrator.progress
    assert "The backfill of v1 (migration 2) is under way." in view.activity
    with pytest.raises(Refused, match=r"10 of 100 rows, 18s left"):
        await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    assert await anext(changes) == "shop"
    migrator.answers.set()
    view = await running.until(lambda view: is_idle(view) and view.migration is None)


async def test_what_is_stopped_is_taken_back_before_anything_else_begins(
    running: Running, migrator: ScriptedMigrator
) -> None:
    await running.release("v1")
    migrator.answers.clear()
    migrator.was_asked.clear()
    await running.controller.migrate(backfill(), ANNA)
    await migrator.was_asked.wait()
    migrator.was_asked.clear()
    migrator.ends.clear()
    stopped = await running.controller.stop_migration("shop", ANNA)
    assert stopped.migration == 2
    await running.controller.migrate(backfill(), ANNA)
    async with asyncio.timeout(5.0):
        await migrator.was_given_up.wait()
        for _ in range(10):  # what would begin too early has begun then
            await asyncio.sleep(0)
        assert not migrator.was_asked.is_set()
        assert len(migrator.orders) == 2
        waiting = running.controller.view("shop").migration
        assert waiting is not None
        assert waiting.note == WAITS_FOR_THE_ONE_BEFORE
        migrator.ends.set()
        await migrator.was_asked.wait()
    assert (migrator.given_up, len(migrator.orders)) == (1, 3)
    migrator.answers.set()
    view = await running.until(is_idle)
    assert [each.verdict for each in view.aggregate.migration_runs] == [
        Verdict.PASS,
        Verdict.INCONCLUSIVE,
        Verdict.PASS,
    ]


async def test_what_is_given_up_while_it_waits_does_not_let_the_next_one_begin_too_early(
    running: Running, migrator: ScriptedMigrator
) -> None:
    await running.release("v1")
    migrator.answers.clear()
    migrator.ends.clear()
    migrator.was_asked.clear()
    await running.controller.migrate(backfill(), ANNA)
    async with asyncio.timeout(5.0):
        await migrator.was_asked.wait()
        migrator.was_asked.clear()
        await running.controller.stop_migration("shop", ANNA)
        await migrator.was_given_up.wait()
        for _ in range(2):
            await running.controller.migrate(backfill(), ANNA)
            await _turns()
            await running.controller.stop_migration("shop", ANNA)
            await _turns()
        await running.controller.migrate(backfill(), ANNA)
        await _turns()
        assert not migrator.was_asked.is_set()
        migrator.ends.set()
        await migrator.was_asked.wait()
    assert (migrator.given_up, len(migrator.orders)) == (1, 3)
    migrator.answers.set()
    await running.until(is_idle)


async def _turns() -> None:
    """What would begin too early has begun then."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_was_under_way_is_run_again_after_a_restart(tmp_path: Path) -> None:
    killed, again = ScriptedMigrator(), ScriptedMigrator()
    killed.answers.clear()
    async with control(tmp_path / "store.db", migrator=killed) as first:
        await first.controller.apply(catalogue(MIGRATED), ANNA)
        await first.controller.deploy(DeployCommand("shop", "v2"), ANNA)
        await killed.was_asked.wait()
    async with control(tmp_path / "store.db", migrator=again) as second:
        view = await second.status(1, "ready")
    assert again.orders == killed.orders
    assert [(each.id, each.has_passed) for each in view.aggregate.migration_runs] == [(1, True)]


async def test_a_run_goes_on_with_another_load_but_not_elsewhere(
    running: Running, migrator: ScriptedMigrator
) -> None:
    await running.release("v1")
    migrator.answers.clear()
    migrator.was_asked.clear()
    await running.controller.migrate(backfill(), ANNA)
    await migrator.was_asked.wait()
    migrator.was_asked.clear()
    elsewhere = (None, replace(DATABASE, url=Secret("postgresql://db/other")), Database(DATABASE.url, "/x"))
    for database in elsewhere:
        with pytest.raises(Refused, match="cannot change during the backfill of v1") as refused:
            await running.controller.apply(catalogue(replace(MIGRATED, database=database)), ANNA)
        assert "bluegreen migrations stop shop" in str(refused.value)
    gentle = replace(DATABASE, backfill_load=10)
    await running.controller.apply(catalogue(replace(MIGRATED, database=gentle)), ANNA)
    await migrator.was_asked.wait()
    assert (migrator.orders[-1].database, migrator.given_up) == (gentle, 1)
    migrator.answers.set()
    view = await running.until(is_idle)
    assert view.aggregate.migration_runs[-1].id == 2


async def test_a_service_is_not_removed_while_its_database_is_changed(
    running: Running, migrator: ScriptedMigrator
) -> None:
    migrator.answers.clear()
    await running.controller.migrate(MigrateCommand("shop", Phase.EXPAND, "v2"), ANNA)
    nothing = Catalogue(catalogue().gateways, {})
    with pytest.raises(Refused, match="cannot be removed during the expand of v2"):
        await running.controller.apply(nothing, ANNA, prune=True)
    await running.controller.stop_migration("shop", ANNA)
    await running.controller.apply(nothing, ANNA, prune=True)
    assert running.controller.services() == []


async def test_a_command_that_is_sent_twice_wants_one_run(running: Running) -> None:
    await running.release("v1")
    once = Origin("anna", key="k1")
    first = await running.controller.migrate(backfill(), once)
    await running.until(is_idle)
    assert await running.controller.migrate(backfill(), once) == first
    assert running.controller.aggregate("shop").last_migration_run_id == 2


async def test_a_plan_is_asked_for_before_the_way_back_is_given_up(
    running: Running, migrator: ScriptedMigrator
) -> None:
    await running.release("v1")
    migrator.directories["v2"] = [SPLIT[Phase.EXPAND], SPLIT[Phase.CONTRACT]]
    await running.release("v2")
    migrator.problems = ("0002_split_name.expand.sql was changed after it was applied",)
    contract = MigrateCommand("shop", Phase.CONTRACT, retire_standby=True)
    with pytest.raises(Refused, match=r"the standby is kept: 0002_split_name.*was changed"):
        await running.controller.migrate(contract, ANNA)
    assert [each.status.is_open for each in running.controller.aggregate("shop").deployments] == [True, True]
    plan = await running.controller.plan_migrations("shop")
    assert [str(each.migration) for each in plan.pending] == ["0002_split_name.contract"]
    assert migrator.planned[-1].known == tuple(migrator.ledger)


async def test_a_contract_that_is_sent_twice_is_answered_as_the_first_time_whatever_the_database_says(
    running: Running, migrator: ScriptedMigrator
) -> None:
    migrator.directories["v2"] = [SPLIT[Phase.EXPAND], SPLIT[Phase.CONTRACT]]
    await running.release("v1")
    await running.release("v2")
    contract = MigrateCommand("shop", Phase.CONTRACT, retire_standby=True)
    once = Origin("anna", key="k1")
    first = await running.controller.migrate(contract, once)
    migrator.problems = ("no connection",)
    assert await running.controller.migrate(contract, once) == first


async def test_a_contract_is_of_the_version_that_was_looked_at(
    running: Running, migrator: ScriptedMigrator
) -> None:
    """Somebody rolls back while the database is asked: the other way back is not given up for that."""
    migrator.directories |= {"v1": [SPLIT[Phase.CONTRACT]], "v2": []}
    await running.release("v1")
    await running.release("v2")
    migrator.looks.clear()
    migrator.was_planned.clear()
    command = MigrateCommand("shop", Phase.CONTRACT, retire_standby=True)
    contract = asyncio.ensure_future(running.controller.migrate(command, ANNA))
    async with asyncio.timeout(5.0):
        await migrator.was_planned.wait()
        await running.controller.rollback("shop", ANNA)
        await running.status(1, "active")
        migrator.looks.set()
        with pytest.raises(Refused, match="v2 is not active"):
            await contract


async def test_the_way_back_is_not_given_up_for_a_version_whose_expand_may_fail(
    running: Running, migrator: ScriptedMigrator
) -> None:
    migrator.directories["v2"] = []
    await running.release("v1")
    await running.release("v2")
    over = DeployCommand("shop", "v3", replace_standby=True)
    with pytest.raises(Refused) as refused:
        await running.controller.deploy(over, ANNA)
    assert str(refused.value) == (
        "The expand of 0002_split_name is still to come, and might fail: the standby is kept until then. "
        "Next: bluegreen migrations expand shop v3, then deploy --replace-standby."
    )
    migrator.problems = ("no connection",)
    with pytest.raises(Refused, match="The expand would be refused, and the standby is kept: no connection"):
        await running.controller.deploy(over, ANNA)
    assert running.controller.aggregate("shop").last_deployment_revision == 2
    migrator.problems = ()
    await running.controller.migrate(MigrateCommand("shop", Phase.EXPAND, "v3"), ANNA)
    await running.until(is_idle)
    await running.controller.deploy(over, ANNA)
    await running.status(3, "ready")


async def test_a_failed_expand_leaves_the_active_version_and_a_retry_goes_on(
    running: Running, migrator: ScriptedMigrator
) -> None:
    await running.release("v1")
    migrator.verdicts[Phase.EXPAND] = Verdict.FAIL
    told = len(running.switch.told)
    await running.controller.deploy(DeployCommand("shop", "v2"), ANNA)
    await running.until(lambda view: [each.version for each in view.aggregate.deployments] == ["v1"])
    assert running.switch.told[told:] == []
    (failed, _) = await running.store.deployments("shop")
    assert (failed.status, failed.note) == (
        "failed",
        "the expand of v2 (migration 2) has failed: syntax error at line 3",
    )
    del migrator.verdicts[Phase.EXPAND]
    await running.controller.retry("shop", ANNA)
    await running.status(3, "ready")
