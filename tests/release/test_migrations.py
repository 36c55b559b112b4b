"""A release that changes the schema of a real database, behind real Envoys and under load."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bluegreen.admin.v1 import admin_pb2 as pb
from tests.release.world import ORIGIN, SHOP, World
from tests.support.fixtures import StartApplication, StartLoad

PEOPLE = "CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL);\n"
FILL = "INSERT INTO people SELECT n, 'Ada Nr' || n FROM generate_series(1, %s) AS n"
SPLIT = {
    "expand": "ALTER TABLE people ADD COLUMN first text, ADD COLUMN fills int NOT NULL DEFAULT 0;\n",
    "backfill": (
        "-- bluegreen: table=people key=id\n"
        "UPDATE people SET first = split_part(name, ' ', 1), fills = fills + 1\n"
        "WHERE id > :after AND id <= :upto;\n"
    ),
    "contract": "ALTER TABLE people DROP COLUMN name;\n",
}


def database(directory: Path, url: str, **more: str) -> dict[str, str]:
    """The migrations of v1 and v2, and what the service file says of the database."""
    for version in ("v1", "v2"):
        (directory / version).mkdir()
        (directory / version / "0001_people.expand.sql").write_text(PEOPLE)
    for phase, sql in SPLIT.items():
        (directory / "v2" / f"0002_split_name.{phase}.sql").write_text(sql)
    return {"url": url, "migrations": f"{directory}/{{version}}", **more}


def ask(url: str, sql: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql, values)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def columns(url: str) -> set[object]:
    rows = ask(url, "SELECT column_name FROM information_schema.columns WHERE table_name = 'people'")
    return {name for (name,) in rows}


async def migrate(world: World, phase: str, **more: Any) -> None:
    await world.admin.Migrate(pb.MigrateRequest(origin=ORIGIN, service=SHOP, phase=phase, **more))


async def passed(world: World, phase: str) -> pb.ServiceStatus:
    return await world.when(
        lambda s: (s.migration_runs[0].phase, s.migration_runs[0].verdict) == (phase, "pass")
    )


async def test_the_schema_changes_while_nobody_who_needs_it_is_there(
    world: World,
    application: StartApplication,
    load: StartLoad,
    database_url: str,
    tmp_path: Path,
) -> None:
    cable = await world.lay_cable("sidecar")
    await world.start(database=database(tmp_path, database_url))
    await world.release("v1", [(await application("v1")).address])
    ask(database_url, FILL, 1000)
    running = await load(*world.entries(), rate=100.0, slow_share=0.0)

    await world.deploy("v2", [(await application("v2")).address])
    assert columns(database_url) == {"id", "name", "first", "fills"}
    with pytest.raises(grpc.aio.AioRpcError, match="before the backfill of 0002_split_name has run"):
        await world.promote()
    await migrate(world, "backfill")
    status = await passed(world, "backfill")
    assert status.way_back_ends == "The way back to v1 ends with the contract of 0002_split_name."
    assert ask(database_url, "SELECT count(*) FROM people WHERE first = 'Ada'") == [(1000,)]
    await world.promote(full=True)
    await world.until(2, "active")

    with pytest.raises(grpc.aio.AioRpcError, match="the way back: the contract of v2 ends that"):
        await migrate(world, "contract")
    cable.deafen()  # it may still send requests to v1, for all that is known
    await migrate(world, "contract", retire_standby=True)
    waiting = await world.when(lambda s: "waits: v1 (revision 1) is over" in s.activity)
    assert "sidecar-1 has not acknowledged" in waiting.activity
    assert (waiting.migration_runs[0].phase, waiting.migration_runs[0].begun_at) == ("contract", 0)
    assert columns(database_url) == {"id", "name", "first", "fills"}
    cable.hear()
    await passed(world, "contract")
    assert columns(database_url) == {"id", "first", "fills"}
    with pytest.raises(grpc.aio.AioRpcError, match="ended with the contract of 0002_split_name"):
        await world.rollback()
    whole = await running.stop()
    assert whole.failed == 0, whole.examples


async def test_a_backfill_goes_on_where_it_stood_when_the_control_plane_was_killed(
    world: World, application: StartApplication, database_url: str, tmp_path: Path
) -> None:
    slow = database(tmp_path, database_url, batch_time="20ms", backfill_load="5%")
    control_plane = await world.start(database=slow)
    await world.release("v1", [(await application("v1")).address])
    ask(database_url, FILL, 20_000)
    await world.deploy("v2", [(await application("v2")).address])
    await migrate(world, "backfill")
    await world.when(lambda s: s.migration_progress.rows_done > 0)
    control_plane.send(signal.SIGKILL)
    await control_plane.exited()
    ((done,),) = ask(database_url, "SELECT count(*) FROM people WHERE first IS NOT NULL")
    assert isinstance(done, int)
    assert 0 < done < 20_000

    await world.start_control_plane()
    status = await passed(world, "backfill")
    assert len(status.migration_runs) == 3, "it is the same run"
    assert ask(database_url, "SELECT count(*), max(fills) FROM people WHERE first = 'Ada'") == [(20_000, 1)]


async def test_an_expand_is_made_again_when_the_control_plane_was_killed_in_it(
    world: World, application: StartApplication, database_url: str, tmp_path: Path
) -> None:
    described = database(tmp_path, database_url)
    (tmp_path / "v2" / "0002_split_name.expand.sql").write_text(SPLIT["expand"] + "SELECT pg_sleep(1.5);\n")
    control_plane = await world.start(database=described)
    await world.release("v1", [(await application("v1")).address])
    address = (await application("v2")).address
    await world.admin.Deploy(pb.DeployRequest(origin=ORIGIN, service=SHOP, version="v2", endpoints=[address]))
    await world.when(lambda s: s.migration_progress.file == "0002_split_name.expand.sql")
    control_plane.send(signal.SIGKILL)
    await control_plane.exited()

    await world.start_control_plane()
    status = await world.until(2, "ready")
    assert [(run.phase, run.verdict) for run in status.migration_runs] == [("expand", "pass")] * 2
    assert columns(database_url) == {"id", "name", "first", "fills"}
    assert await applied(world) == ask(database_url, LEDGER) == [(1, "expand"), (2, "expand")]


async def test_a_database_that_was_restored_goes_on_from_what_it_has(
    world: World, application: StartApplication, new_database: Callable[[], str], tmp_path: Path
) -> None:
    url, dump = new_database(), new_database()
    await world.start(database=database(tmp_path, url))
    await world.release("v1", [(await application("v1")).address])
    ask(url, FILL, 100)
    copy(url, dump)
    await world.deploy("v2", [(await application("v2")).address])
    await migrate(world, "backfill")
    await passed(world, "backfill")
    copy(dump, url)

    await migrate(world, "expand", version="v2")
    refused = await world.when(lambda s: s.migration_runs[0].verdict == "fail")
    assert "expand shop v2 --accept-drift --reason TEXT" in refused.migration_runs[0].summary
    await migrate(world, "expand", version="v2", accept_drift=True)
    await passed(world, "expand")
    assert await applied(world) == ask(url, LEDGER) == [(1, "expand"), (2, "expand")]
    with pytest.raises(grpc.aio.AioRpcError, match="before the backfill of 0002_split_name has run"):
        await world.promote()
    await migrate(world, "backfill")
    await passed(world, "backfill")
    await world.promote(full=True)
    await world.until(2, "active")
    assert await applied(world) == ask(url, LEDGER)


LEDGER = "SELECT number, phase FROM bluegreen.migrations ORDER BY applied_at"


async def applied(world: World) -> list[tuple[object, ...]]:
    """What the control plane knows of the ledger."""
    status = await world.admin.GetStatus(pb.GetStatusRequest(service=SHOP, ledger=True))
    return [(each.migration.number, each.migration.phase) for each in status.ledger]


def copy(url: str, other: str) -> None:
    """The other database becomes what this one is, whoever is connected to them."""
    source, target = (conninfo_to_dict(each)["dbname"] for each in (url, other))
    server = make_conninfo(url, dbname="postgres")
    ask(server, f"DROP DATABASE {target} WITH (FORCE)")
    ask(server, f"CREATE DATABASE {target} TEMPLATE {source}")
