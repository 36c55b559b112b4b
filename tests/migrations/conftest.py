"""A shop with a database, whose versions bring migrations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.migrations.postgres_migrator import PostgresMigrator
from bluegreen.model.database import Database
from bluegreen.model.migration import (
    LintFinding,
    MigrationOrder,
    MigrationOutcome,
    MigrationPlan,
    MigrationProgress,
    Phase,
)
from bluegreen.model.secret import Secret
from bluegreen.model.verdict import Verdict

PEOPLE = """\
CREATE TABLE people (
    id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'Ada Lovelace', times int NOT NULL DEFAULT 0
);
"""
SECONDS = 20.0
"""That a test waits for what must come."""


async def no_lint(files: Iterable[MigrationFile], pg_version: str) -> tuple[LintFinding, ...]:
    """These tests are about what the runner does with what lint lets through."""
    return ()


@dataclass
class Shop:
    """`run` and `plan` ask a migrator; `progress` is what was told; `database` may be exchanged."""

    root: Path
    database: Database
    migrator: PostgresMigrator
    progress: list[MigrationProgress] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return self.database.url.value

    def change(self, **values: Any) -> None:
        """Change what the service file says of the database."""
        self.database = replace(self.database, **values)

    def write(self, version: str, files: dict[str, str]) -> None:
        """Files of a version, by their names without `.sql`."""
        directory = self.root / version
        directory.mkdir(exist_ok=True)
        for name, text in files.items():
            (directory / f"{name}.sql").write_text(text)

    def order(self, version: str, phase: Phase, **values: Any) -> MigrationOrder:
        return MigrationOrder("shop", version, phase, self.database, "ada", **values)

    async def run(self, version: str, phase: Phase = Phase.EXPAND, **values: Any) -> MigrationOutcome:
        return await self.migrator.run(self.order(version, phase, **values), self._tell)

    async def apply(self, version: str, phase: Phase = Phase.EXPAND, **values: Any) -> MigrationOutcome:
        """As `run`, and it passes."""
        outcome = await self.run(version, phase, **values)
        assert outcome.verdict is Verdict.PASS, outcome
        return outcome

    async def refused(self, version: str, phase: Phase = Phase.EXPAND, **values: Any) -> str:
        """As `run`, and it fails; with what it says."""
        outcome = await self.run(version, phase, **values)
        assert outcome.verdict is Verdict.FAIL, outcome
        return outcome.summary

    async def plan(self, version: str, **values: Any) -> MigrationPlan:
        return await self.migrator.plan(self.order(version, Phase.EXPAND, **values))

    async def until_told(self, words: str) -> str:
        """Wait for a note with these words; the note."""
        async with asyncio.timeout(SECONDS):
            while True:
                found = [each.note for each in self.progress if words in each.note]
                if found:
                    return found[0]
                self.told.clear()
                await self.told.wait()

    def notes(self) -> list[str]:
        return [each.note for each in self.progress if each.note]

    @asynccontextmanager
    async def session(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Somebody else's, without a transaction."""
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            yield connection

    async def ask(self, query: str, *values: Any) -> list[Any]:
        """The rows of a query; of one column: its values."""
        async with self.session() as connection:
            cursor = await connection.execute(query.encode(), values or None)
            rows = await cursor.fetchall() if cursor.description else []
        return [row[0] if len(row) == 1 else row for row in rows]

    async def until(self, query: str) -> None:
        """Wait until the first value of a query is true: the database has no events to wait for."""
        async with asyncio.timeout(SECONDS), self.session() as connection:
            while True:
                row = await (await connection.execute(query.encode())).fetchone()
                if row and row[0]:
                    return
                await asyncio.sleep(0.01)

    def _tell(self, progress: MigrationProgress) -> None:
        self.progress.append(progress)
        self.told.set()


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Shop:
    """A shop whose version `v1` has one migration, which makes the table `people`; nothing is applied."""
    root = tmp_path / "migrations"
    root.mkdir()
    database = Database(Secret(database_url), f"{root}/{{version}}", lock_timeout=0.4, patience=SECONDS)
    made = Shop(root, database, PostgresMigrator(no_lint))
    made.write("v1", {"0001_people.expand": PEOPLE})
    return made


@pytest.fixture
def two_versions(shop: Shop) -> Shop:
    """And a `v2` with a number for each: an expand, a backfill and a contract."""
    shop.write(
        "v2",
        {
            "0001_people.expand": PEOPLE,
            "0002_split_name.expand": "ALTER TABLE people ADD COLUMN first text, ADD COLUMN last text;",
            "0002_split_name.backfill": "-- bluegreen: table=people key=id\n" + SPLIT,
            "0002_split_name.contract": "ALTER TABLE people DROP COLUMN name;",
        },
    )
    return shop


SPLIT = """\
UPDATE people SET first = split_part(name, ' ', 1), last = split_part(name, ' ', 2), times = times + 1
WHERE id > :after AND id <= :upto;
"""

NewDatabase = Callable[[], str]
