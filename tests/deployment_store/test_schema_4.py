"""A file of schema 4, in which no database could lose what was applied to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bluegreen.model.migration import AppliedMigration, MigrationName, Phase
from deployment_store import SqliteStore
from deployment_store.connection import configure, connect
from deployment_store.migration import migrate, read_migrations
from tests.deployment_store.samples import raw

SPEC = '{"name": "shop", "gateways": ["edge"], "domains": ["shop.example"]}'
LEDGER = (
    AppliedMigration(MigrationName(2, "split", Phase.EXPAND), "5f", "v2", "anna", 1001.5, 0.25),
    AppliedMigration(MigrationName(1, "people", Phase.EXPAND), "6a", "v1", "ben", 999.5, 0.5),
)


@pytest.fixture
async def old(tmp_path: Path) -> Path:
    path = tmp_path / "schema4.db"
    async with connect(path) as db:
        await configure(db)
        await migrate(db, read_migrations()[:4])
    with raw(path) as shell:
        shell.execute("INSERT INTO services (name, spec, revision) VALUES ('shop', ?, 4)", (SPEC,))
        shell.execute("INSERT INTO traffic_rules VALUES ('shop', NULL, 0)")
        for each in LEDGER:
            name = each.migration
            shell.execute(
                "INSERT INTO migrations (service, number, name, phase, checksum, version, author, applied_at,"
                " seconds) VALUES ('shop', ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(name.number, name.name, name.phase.value, each.checksum, each.version, each.author),
                    *(each.applied_at, each.seconds),
                ),
            )
    return path


async def test_the_ledger_is_as_it_was_and_nothing_is_lost(old: Path) -> None:
    async with SqliteStore.open(old) as store:
        assert (await store.load("shop")).ledger == LEDGER
    with raw(old) as shell:
        assert shell.execute("SELECT migration, lost FROM migration_log").fetchall() == [
            ("0002_split.expand", 0),
            ("0001_people.expand", 0),
        ]


async def test_it_guards_what_a_new_file_guards(old: Path, path: Path) -> None:
    async with SqliteStore.open(old), SqliteStore.open(path):
        pass
    shape = "SELECT type, name, tbl_name, replace(sql, '\"', '') FROM sqlite_schema ORDER BY 1, 2"
    with raw(old) as one, raw(path) as other:
        assert one.execute(shape).fetchall() == other.execute(shape).fetchall()
