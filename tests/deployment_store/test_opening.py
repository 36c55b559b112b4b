"""Which files are opened, and which are refused untouched."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bluegreen.model.environment import Environment
from bluegreen.model.errors import InvalidInput, Refused
from bluegreen.model.traffic_rule import TrafficRule
from deployment_store import SqliteStore
from deployment_store.connection import configure, connect
from deployment_store.migration import Migration, migrate, read_migrations
from tests.deployment_store.samples import EDGE, SHOP, add_catalogue, raw

NEWEST = read_migrations()[-1].version


async def test_a_new_file_is_safe_and_takes_part_in_vacuuming(path: Path) -> None:
    async with SqliteStore.open(path) as store, connect(path) as other:
        await add_catalogue(store)
        await configure(other)
        settings = {"journal_mode": "wal", "synchronous": 2, "auto_vacuum": 1, "user_version": NEWEST}
        for name, value in settings.items():
            ((found,),) = await other.execute_fetchall(f"PRAGMA {name}")
            assert (name, found) == (name, value)


async def test_what_was_written_is_there_after_reopening(path: Path) -> None:
    async with SqliteStore.open(path) as store:
        await add_catalogue(store)
    async with SqliteStore.open(path) as store:
        assert (await store.load("shop")).service == SHOP
        assert await store.gateways() == {"edge": EDGE}


async def test_the_same_file_is_not_opened_twice(path: Path) -> None:
    async with SqliteStore.open(path):
        with pytest.raises(Refused, match="in use by another control plane"):
            async with SqliteStore.open(path):
                pass
    async with SqliteStore.open(path):
        pass


async def test_a_newer_file_is_refused_untouched(path: Path) -> None:
    async with SqliteStore.open(path):
        pass
    with raw(path) as shell:
        shell.execute(f"PRAGMA user_version = {NEWEST + 1}")
    before = path.read_bytes()
    with pytest.raises(
        Refused, match=rf"written by a newer bluegreen \(schema {NEWEST + 1}; .* knows {NEWEST}\)"
    ):
        async with SqliteStore.open(path):
            pass
    assert path.read_bytes() == before


async def test_the_database_of_another_program_is_refused_untouched(path: Path) -> None:
    with raw(path) as shell:
        shell.execute("CREATE TABLE bookmarks (url)")
    before = path.read_bytes()
    with pytest.raises(Refused, match="is a database of another program"):
        async with SqliteStore.open(path):
            pass
    assert path.read_bytes() == before


async def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_text("gateways:\n  edge: {}\n" * 100)
    with pytest.raises(InvalidInput, match="cannot be opened: file is not a database"):
        async with SqliteStore.open(path):
            pass


async def test_a_directory_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file or directory"):
        async with SqliteStore.open(tmp_path / "missing" / "bluegreen.db"):
            pass


async def test_a_directory_in_place_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="unable to open database file"):
        async with SqliteStore.open(tmp_path):
            pass


async def test_what_the_first_schema_held_is_read(path: Path) -> None:
    """Rows as the first release wrote them, with a field that the model has dropped and without new ones."""
    async with connect(path) as db:
        await migrate(db, read_migrations()[:1])
    spec = '{"name": "shop", "gateways": ["edge"], "domains": ["shop.example"], "dropped": {"field": 1}}'
    with raw(path) as shell:
        shell.execute("INSERT INTO services (name, spec, revision) VALUES ('shop', ?, 4)", (spec,))
        shell.execute("INSERT INTO traffic_rules VALUES ('shop', 'green', 25)")
    async with SqliteStore.open(path) as store:
        aggregate = await store.load("shop")
    assert (aggregate.service, aggregate.revision) == (SHOP, 4)
    assert aggregate.traffic == TrafficRule("shop", Environment.GREEN, 25)


LATER = Migration(NEWEST + 1, "ALTER TABLE proxies ADD COLUMN zone TEXT NOT NULL DEFAULT 'somewhere';")


async def test_a_step_keeps_what_is_there(path: Path) -> None:
    async with SqliteStore.open(path):
        pass
    with raw(path) as shell:
        shell.execute("INSERT INTO proxies VALUES ('edge-1', 'edge', '', 1, 2)")
    async with connect(path) as db:
        await migrate(db, (*read_migrations(), LATER))
    with raw(path) as shell:
        assert shell.execute("SELECT id, zone FROM proxies").fetchall() == [("edge-1", "somewhere")]
        assert shell.execute("PRAGMA user_version").fetchall() == [(NEWEST + 1,)]


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("INSERT INTO nowhere VALUES (1);", sqlite3.OperationalError),
        ("INSERT INTO traffic_rules VALUES ('orphan', NULL, 0);", Refused),
    ],
)
async def test_a_step_that_fails_leaves_nothing(path: Path, sql: str, error: type[Exception]) -> None:
    async with SqliteStore.open(path):
        pass
    async with connect(path) as db:
        with pytest.raises(error):
            await migrate(db, (*read_migrations(), Migration(NEWEST + 1, LATER.sql + sql)))
    with raw(path) as shell:
        assert shell.execute("PRAGMA user_version").fetchall() == [(NEWEST,)]
        assert "zone" not in [row[1] for row in shell.execute("PRAGMA table_info(proxies)")]
    async with SqliteStore.open(path):
        pass
