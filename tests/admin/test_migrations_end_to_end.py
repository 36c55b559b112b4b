"""A release that splits a column, and one that goes wrong: the real command, controller and PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bluegreen.migrations.postgres_migrator import PostgresMigrator
from bluegreen.model.acceptance_test import HttpTest
from bluegreen.model.database import Database
from bluegreen.model.gates import Gates
from bluegreen.model.secret import Secret
from bluegreen.model.service import Drain, Service
from bluegreen.model.verdict import Verdict
from bluegreen.rollout.clock import SystemClock
from bluegreen.rollout.controller import Controller
from bluegreen.rollout.outside import Outside
from deployment_store import SqliteStore
from tests.admin.conftest import AdminServer, Ended, Run, Start, serving
from tests.rollout.scripted_checker import ScriptedChecker
from tests.rollout.scripted_provisioner import ScriptedProvisioner
from tests.rollout.simulated_switch import SimulatedSwitch
from tests.rollout.test_controller import ANNA, QUICK, catalogue

PEOPLE = "CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL);\n"
FILES = {
    "0002_split_name.expand.sql": "ALTER TABLE people ADD COLUMN first_name text;\n",
    "0002_split_name.backfill.sql": (
        "-- bluegreen: table=people key=id\n"
        "UPDATE people SET first_name = split_part(name, ' ', 1) WHERE id > :after AND id <= :upto;\n"
    ),
    "0002_split_name.contract.sql": "ALTER TABLE people DROP COLUMN name;\n",
}


@dataclass
class Stage:
    """Where versions and their migrations are, and what the database has."""

    directory: Path
    url: str

    def service(self, **changes: Any) -> Service:
        """As the service file would describe it."""
        database = Database(Secret(self.url), str(self.directory / "{version}"), lock_timeout=0.2)
        return replace(QUICK, drain=Drain(0.0, 0.3), **{"database": database, **changes})

    def version(self, version: str, **files: str) -> None:
        (self.directory / version).mkdir()
        for name, text in {"0001_people.expand.sql": PEOPLE, **files}.items():
            (self.directory / version / name).write_text(text)

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def stage(tmp_path: Path, database_url: str) -> Stage:
    return Stage(tmp_path, database_url)


@pytest.fixture
def checker() -> ScriptedChecker:
    return ScriptedChecker()


@pytest.fixture
async def server(stage: Stage, tmp_path: Path, checker: ScriptedChecker) -> AsyncIterator[AdminServer]:
    clock = SystemClock()
    async with SqliteStore.open(tmp_path / "store.db") as store, PostgresMigrator.open() as migrator:
        outside = Outside(checker, ScriptedProvisioner(), migrator)
        controller = Controller(store, SimulatedSwitch(clock), clock, outside)
        await controller.start()
        running = asyncio.ensure_future(controller.run())
        await controller.apply(catalogue(stage.service()), ANNA)
        async with serving(AdminServer(controller, store)) as each:
            yield each
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def released(run: Run, version: str) -> None:
    for verb in (("deploy", "shop", version), ("promote", "shop", "--full")):
        assert_done(await run(*verb, "--wait"))


def assert_done(ended: Ended) -> None:
    assert ended.code == 0, ended


async def test_a_column_is_split_in_three_phases(stage: Stage, run: Run) -> None:
    stage.version("v1")
    await released(run, "v1")
    stage.sql("INSERT INTO people SELECT each, 'Ann Lee' FROM generate_series(1, 3000) AS each")
    stage.version("v2", **FILES)

    planned = await run("migrations", "plan", "shop", "v2")
    assert_done(planned)
    assert "ALTER TABLE people ADD COLUMN first_name text" in planned.out

    deployed = await run("deploy", "shop", "v2", "--wait")
    assert_done(deployed)
    assert "v2 waits for its schema" in deployed.err
    assert stage.sql("SELECT count(*), count(first_name) FROM people") == [(3000, 0)]
    assert (
        "The way back to v1 ends with the contract of 0002_split_name." in (await run("status", "shop")).out
    )

    refused = await run("promote", "shop")
    assert refused.code == 5
    assert "bluegreen migrations backfill shop" in refused.err

    filled = await run("migrations", "backfill", "shop")
    assert_done(filled)
    assert "0002_split_name.backfill.sql: went through 3,000 rows" in filled.out
    assert filled.out.endswith("Next: bluegreen promote shop\n")
    assert stage.sql("SELECT DISTINCT first_name FROM people") == [("Ann",)]

    assert_done(await run("promote", "shop", "--full", "--wait"))
    refused = await run("migrations", "contract", "shop")
    assert refused.code == 5
    assert "--retire-standby" in refused.err
    contracted = await run("migrations", "contract", "shop", "--retire-standby")
    assert_done(contracted)
    columns = stage.sql("SELECT column_name FROM information_schema.columns WHERE table_name = 'people'")
    assert sorted(columns) == [("first_name",), ("id",)]
    assert (await run("rollback", "shop")).code == 5

    shown = (await run("migrations", "status", "shop")).out
    (people, split) = [line for line in shown.splitlines() if line.startswith("000")]
    assert (people.count(" v1, "), split.count(" v2, ")) == (1, 3)
    told = json.loads((await run("history", "shop", "-o", "json")).out)["migration_runs"]
    assert [(each["phase"], each["version"], each["verdict"]) for each in told] == [
        ("contract", "v2", "pass"),
        ("backfill", "v2", "pass"),
        ("expand", "v2", "pass"),
        ("expand", "v1", "pass"),
    ]


async def test_what_would_break_the_active_version_is_not_deployed(stage: Stage, run: Run) -> None:
    stage.version("v1")
    await released(run, "v1")
    rename = {"0002_split_name.expand.sql": "ALTER TABLE people RENAME COLUMN name TO first_name;\n"}
    stage.version("v2", **rename)

    planned = await run("migrations", "plan", "shop", "v2")
    assert planned.code == 5
    assert "0002_split_name.expand.sql:1:" in planned.out

    deployed = await run("deploy", "shop", "v2", "--wait")
    assert (deployed.code, deployed.out) == (1, "")
    assert "0002_split_name.expand.sql:1:" in deployed.err
    assert deployed.err.splitlines()[-1].startswith("Error: v2 (revision 2) failed: ")
    assert stage.sql("SELECT name FROM people") == []


async def test_sql_that_fails_is_told_with_its_line(stage: Stage, run: Run) -> None:
    stage.version("v1", **{"0002_nick.expand.sql": "\n\nALTER TABLE peeple ADD COLUMN nick text;\n"})
    expanded = await run("migrations", "expand", "shop", "v1")
    assert (expanded.code, expanded.out) == (1, "")
    assert "0002_nick.expand.sql:3:" in expanded.err
    assert 'relation "peeple" does not exist' in expanded.err
    shown = (await run("migrations", "status", "shop")).out
    assert "Expand of v1: fail, " in shown


async def test_drift_is_told_and_taken_on_for_a_reason(stage: Stage, run: Run) -> None:
    stage.version("v1")
    await released(run, "v1")
    stage.sql("ALTER TABLE people ADD COLUMN nick text")
    stage.version("v2", **FILES)
    planned = await run("migrations", "plan", "shop", "v2")
    assert planned.code == 5
    assert "1 difference of the schema from the ledger" in planned.err
    assert "nick" in planned.out
    expanded = await run("migrations", "expand", "shop", "v2")
    assert expanded.code == 1
    assert "nick" in expanded.err
    expanded = await run("migrations", "expand", "shop", "v2", "--accept-drift", "--reason", "a hotfix")
    assert_done(expanded)
    assert expanded.out.endswith("Next: bluegreen deploy shop v2\n")
    assert "a hotfix" in (await run("events", "shop")).out


async def test_what_it_waits_for_is_told_and_it_can_be_given_up(
    stage: Stage, run: Run, start: Start, server: AdminServer
) -> None:
    stage.version("v1")
    await released(run, "v1")
    stage.version("v2", **FILES)
    with psycopg.connect(stage.url, application_name="a long report") as reader:
        reader.execute("SELECT count(*) FROM people")
        expanding = await start("migrations", "expand", "shop", "v2", admin=server.address)
        await expanding.says("a long report")
        async with asyncio.timeout(10):  # between two tries it waits for nobody
            while "a long report" not in (await run("migrations", "status", "shop")).out:
                pass
        assert_done(await run("migrations", "stop", "shop", "--actor", "olga"))
        ended = await expanding.ends()
    assert ended.code == 3
    assert "is stopped by olga" in ended.err
    assert_done(await run("migrations", "expand", "shop", "v2"))


async def test_the_active_version_must_live_with_the_new_schema(
    stage: Stage, run: Run, server: AdminServer, checker: ScriptedChecker
) -> None:
    stage.version("v1")
    await released(run, "v1")
    stage.version("v2", **FILES)
    await server.operations.apply(catalogue(stage.service(gates=Gates(tests=(HttpTest("home"),)))), ANNA)
    checker.verdicts["home"] = Verdict.FAIL
    for verb in (("migrations", "expand", "shop", "v2"), ("deploy", "shop", "v2", "--wait")):
        ended = await run(*verb)
        assert (ended.code, ended.out) == (1, "")
        assert "  fail          home: it said fail\n" in ended.err
        assert "failed: home: it said fail" in ended.err.splitlines()[-1]
    checker.verdicts.clear()
    assert_done(await run("retry", "shop", "--wait"))


async def test_a_database_that_is_away_is_a_clear_message(
    stage: Stage, run: Run, server: AdminServer, tmp_path: Path
) -> None:
    stage.version("v1")
    url = Secret(f"postgresql://owner:hunter2@/shop?host={tmp_path}")
    database = Database(url, str(stage.directory / "{version}"))
    await server.operations.apply(catalogue(stage.service(database=database)), ANNA)
    planned = await run("migrations", "plan", "shop", "v1")
    assert planned.code == 5
    assert "cannot be reached" in planned.out
    expanded = await run("migrations", "expand", "shop", "v1")
    assert expanded.code == 1
    assert "cannot be reached" in expanded.err
    shown = await run("migrations", "status", "shop")
    assert "Expand of v1: error, " in shown.out
    for said in (planned, expanded, shown):
        assert "hunter2" not in said.out + said.err
