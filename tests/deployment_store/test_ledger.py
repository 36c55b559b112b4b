"""Runs of migrations, and what is applied to a service's database: for good."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.environment import Environment
from bluegreen.model.errors import Refused
from bluegreen.model.event import What
from bluegreen.model.migration import AppliedMigration, MigrationName, Phase
from bluegreen.model.migration_run import MigrationRun
from bluegreen.model.verdict import Finding, Verdict
from deployment_store import SqliteStore
from deployment_store.ledger import KEPT_RUNS
from tests.deployment_store.samples import deploy, deployment, event, move, raw

EXPAND = MigrationName(2, "split_name", Phase.EXPAND)
BACKFILL = replace(EXPAND, phase=Phase.BACKFILL)
CONTRACT = replace(EXPAND, phase=Phase.CONTRACT)
APPLIED = AppliedMigration(EXPAND, "5f" * 32, "v2", "anna (release)", 1001.5, 0.25)
WANTED = MigrationRun(1, "shop", "v2", Phase.EXPAND, 1000.0, "anna", deployment=1, accept_drift=True)
PASSED = replace(
    WANTED,
    begun_at=1000.5,
    verdict=Verdict.PASS,
    finished_at=1002.0,
    summary="1 file is applied",
    findings=(Finding("0002_split_name.expand.sql", Verdict.PASS, "applied", "", 0.25),),
    backfills_left=(BACKFILL,),
    contracts_left=(CONTRACT,),
)


async def write(store: SqliteStore, aggregate: ServiceAggregate) -> ServiceAggregate:
    written = await store.compare_and_set(aggregate, aggregate.revision, [event(What.MIGRATED)])
    assert written == await store.load("shop")
    return written


async def add(store: SqliteStore, *runs: MigrationRun) -> ServiceAggregate:
    aggregate = await store.load("shop")
    for run in runs:
        aggregate = aggregate.with_migration_run(run)
    return await write(store, aggregate)


async def test_a_run_comes_back_whole(store: SqliteStore) -> None:
    await deploy(store, 1)
    assert (await add(store, WANTED)).open_run == WANTED
    aggregate = await add(store, PASSED)
    assert aggregate.migration_runs == (PASSED,) == tuple(await store.migration_runs("shop"))
    assert (aggregate.open_run, aggregate.last_migration_run_id) == (None, 1)


async def test_a_run_that_is_over_stays_as_it_is(path: Path, store: SqliteStore) -> None:
    await deploy(store, 1)
    await add(store, PASSED)
    with raw(path) as shell:
        with pytest.raises(sqlite3.IntegrityError, match="that is over stays as it is"):
            shell.execute("UPDATE migration_runs SET verdict = 'fail'")
        with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
            shell.execute("DELETE FROM migration_runs")


async def test_there_is_one_open_run_a_service(store: SqliteStore) -> None:
    await deploy(store, 1)
    await add(store, WANTED)
    with pytest.raises(Refused, match="Another run of migrations is open"):
        await add(store, replace(WANTED, id=2))


async def test_the_ledger_comes_back_in_its_order(store: SqliteStore) -> None:
    backfill = replace(APPLIED, migration=BACKFILL, applied_at=999.0)
    aggregate = replace(await store.load("shop"), ledger=(APPLIED,))
    aggregate = await write(store, aggregate)
    aggregate = await write(store, replace(aggregate, ledger=(APPLIED, backfill)))
    assert aggregate.ledger == (APPLIED, backfill)


@pytest.mark.parametrize("ledger", [(), (replace(APPLIED, checksum="6a" * 32),)])
async def test_the_ledger_is_only_appended_to(
    store: SqliteStore, ledger: tuple[AppliedMigration, ...]
) -> None:
    aggregate = await write(store, replace(await store.load("shop"), ledger=(APPLIED,)))
    with pytest.raises(Refused, match="changes what is applied to its database already"):
        await store.compare_and_set(replace(aggregate, ledger=ledger), aggregate.revision, [])
    assert (await store.load("shop")).ledger == (APPLIED,)


async def test_what_a_database_has_lost_stays_on_record_and_may_be_applied_again(
    path: Path, store: SqliteStore
) -> None:
    backfill, again = replace(APPLIED, migration=BACKFILL), replace(APPLIED, applied_at=2000.0)
    aggregate = await write(store, replace(await store.load("shop"), ledger=(APPLIED, backfill)))
    wanted = replace(aggregate, ledger=(backfill,))
    aggregate = await store.compare_and_set(wanted, aggregate.revision, [event(What.LEDGER_LOST)])
    assert aggregate.ledger == (await store.load("shop")).ledger == (backfill,)
    aggregate = await write(store, replace(aggregate, ledger=(backfill, again)))
    assert (await store.load("shop")).ledger == (backfill, again)
    with raw(path) as shell:
        assert shell.execute("SELECT migration, lost FROM migration_log").fetchall() == [
            ("0002_split_name.expand", 1),
            ("0002_split_name.backfill", 0),
            ("0002_split_name.expand", 0),
        ]
        for change in ("lost = 0", "seconds = 1, lost = 1"):
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                shell.execute(f"UPDATE migrations SET {change}")  # noqa: S608


async def test_not_even_a_shell_changes_the_ledger(path: Path, store: SqliteStore) -> None:
    await write(store, replace(await store.load("shop"), ledger=(APPLIED,)))
    with raw(path) as shell:
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            shell.execute("UPDATE migrations SET checksum = 'other'")
        with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
            shell.execute("DELETE FROM migrations")
        ((migration, applied_at),) = shell.execute("SELECT migration, applied_at FROM migration_log")
        assert (migration, applied_at) == ("0002_split_name.expand", "1970-01-01T00:16:41.500Z")


async def test_the_aggregate_carries_the_newest_and_history_all(path: Path, store: SqliteStore) -> None:
    await deploy(store, 1)
    count = KEPT_RUNS + 3
    await add(store, *(replace(PASSED, id=number, deployment=None) for number in range(1, count + 1)))
    aggregate = await store.load("shop")
    assert [each.id for each in aggregate.migration_runs] == list(range(4, count + 1))
    assert [each.id for each in await store.migration_runs("shop", limit=2)] == [count, count - 1]
    with raw(path) as shell:
        assert shell.execute("SELECT count(*) FROM migration_run_log").fetchall() == [(count,)]


async def test_the_last_good_run_of_a_deployment_is_carried_as_long_as_it_is(store: SqliteStore) -> None:
    """What it has left is asked for by whoever promotes, or contracts, long after."""
    await deploy(store, 1)
    many = [replace(PASSED, id=number, deployment=None) for number in range(2, KEPT_RUNS + 3)]
    aggregate = await add(store, PASSED, *many)
    assert [each.id for each in aggregate.migration_runs][:2] == [1, 3]
    aggregate = await move(store, 1, What.SUPERSEDED)
    assert PASSED in aggregate.migration_runs
    released = replace(aggregate.deployment(1), released_at=1010.0)
    aggregate = await write(store, aggregate.with_deployment(released))
    assert PASSED not in aggregate.migration_runs
    aggregate = await write(store, aggregate.with_deployment(deployment(2, Environment.GREEN)))
    assert PASSED not in aggregate.migration_runs
