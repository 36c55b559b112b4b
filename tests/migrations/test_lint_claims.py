"""What the lint says of PostgreSQL is so: asked of a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.errors import ActiveSqlTransaction

from bluegreen.migrations.lint.linter import Linter
from bluegreen.migrations.lint.squawk import Squawk
from bluegreen.migrations.statements import split
from bluegreen.subprocesses.command import CommandRunner

SCHEMA = """
CREATE TABLE teams (id bigint PRIMARY KEY);
CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL, rank int, team bigint, other timestamptz);
CREATE INDEX people_name ON people (name);
CREATE TABLE days (day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE day_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-01-02');
INSERT INTO teams VALUES (1);
INSERT INTO people SELECT n, 'Ada', n, 1 FROM generate_series(1, 100) AS n;
"""

RUNS_ALONE = [
    "CREATE INDEX CONCURRENTLY i ON people (rank)",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON people (rank)",
    "DROP INDEX CONCURRENTLY people_name",
    "REINDEX INDEX CONCURRENTLY people_name",
    "REINDEX (VERBOSE, CONCURRENTLY) TABLE people",
    "REINDEX SCHEMA public",
    "VACUUM",
    "VACUUM (ANALYZE) people",
    "CLUSTER",
    "ALTER TABLE days DETACH PARTITION day_1 CONCURRENTLY",
    "ALTER SYSTEM SET work_mem = '4MB'",
    "CREATE DATABASE another",
    "DROP DATABASE another",
    "CREATE SUBSCRIPTION s CONNECTION 'host=nowhere' PUBLICATION p",
]
RUNS_WITH_OTHERS = [
    "CREATE INDEX i ON people (rank)",
    "DROP INDEX people_name",
    "REINDEX TABLE people",
    "REINDEX (CONCURRENTLY false) TABLE people",
    "CLUSTER people USING people_name",
    "ALTER TABLE days DETACH PARTITION day_1",
    "ANALYZE people",
    "CREATE TYPE mood AS ENUM ('sad'); ALTER TYPE mood ADD VALUE 'angry'",
    "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a; CREATE UNIQUE INDEX u ON v (a); "
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
]

REWRITES = [
    "ALTER TABLE people ADD COLUMN n bigserial",
    "ALTER TABLE people ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE people ADD COLUMN key uuid DEFAULT gen_random_uuid()",
    "ALTER TABLE people ADD COLUMN initial text GENERATED ALWAYS AS (left(name, 1)) STORED",
    "ALTER TABLE people ALTER COLUMN rank TYPE bigint",
    "ALTER TABLE people SET UNLOGGED",
    "ALTER TABLE people ADD COLUMN a text, SET UNLOGGED",
    "CLUSTER people USING people_name",
]
REWRITES_NOTHING = [
    "ALTER TABLE people ADD COLUMN a text",
    "ALTER TABLE people ADD COLUMN a bigint NOT NULL DEFAULT 7",
    "ALTER TABLE people ADD COLUMN at timestamptz DEFAULT now()",
    "ALTER TABLE people ADD COLUMN initial text GENERATED ALWAYS AS (left(name, 1)) VIRTUAL",
    "ALTER TABLE people ADD key uuid; ALTER TABLE people ALTER COLUMN key SET DEFAULT gen_random_uuid()",
    "ALTER TABLE people ADD COLUMN team_2 bigint REFERENCES teams (id)",
    "ALTER TABLE people ADD CONSTRAINT low CHECK (rank < 1000) NOT VALID",
]

# What the safe ways come to, each line a file.
SAFE_WAYS = {
    "not null": [
        "ALTER TABLE people ADD CONSTRAINT ranked CHECK (rank IS NOT NULL) NOT VALID",
        "ALTER TABLE people VALIDATE CONSTRAINT ranked; ALTER TABLE people ALTER COLUMN rank SET NOT NULL; "
        "ALTER TABLE people DROP CONSTRAINT ranked",
    ],
    "foreign key": [
        "ALTER TABLE people ADD CONSTRAINT team FOREIGN KEY (team) REFERENCES teams (id) NOT VALID",
        "ALTER TABLE people VALIDATE CONSTRAINT team",
    ],
    "unique": [
        "CREATE UNIQUE INDEX CONCURRENTLY one ON people (rank)",
        "ALTER TABLE people ADD CONSTRAINT one UNIQUE USING INDEX one",
    ],
    "detach": ["ALTER TABLE days DETACH PARTITION day_1 CONCURRENTLY", "DROP TABLE day_1"],
}


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(SCHEMA)
        yield connection


def execute(database: psycopg.Connection[Any], sql: str) -> None:
    database.execute(sql.encode())


def file_of_people(database: psycopg.Connection[Any]) -> Any:
    row = database.execute("SELECT relfilenode FROM pg_class WHERE relname = 'people'").fetchone()
    assert row is not None
    return row[0]


async def is_refused(path: Path, phase: str, sql: str) -> bool:
    (path / f"0001_change.{phase}.sql").write_text(sql)
    report = await Linter(Squawk(CommandRunner())).lint_directory(path, pg_version="18")
    return any(each.refused for each in report.findings)


@pytest.mark.parametrize("sql", RUNS_ALONE)
def test_what_runs_alone_does_not_run_in_a_transaction(database: psycopg.Connection[Any], sql: str) -> None:
    assert [each.runs_alone for each in split(sql)] == [True]
    with pytest.raises(ActiveSqlTransaction), database.transaction():
        execute(database, sql)


@pytest.mark.parametrize("sql", RUNS_WITH_OTHERS)
def test_and_the_rest_does(database: psycopg.Connection[Any], sql: str) -> None:
    assert not any(each.runs_alone for each in split(sql))
    with database.transaction():
        execute(database, sql)


@pytest.mark.parametrize("sql", REWRITES)
async def test_a_table_that_is_written_anew_is_refused(
    database: psycopg.Connection[Any], tmp_path: Path, sql: str
) -> None:
    before = file_of_people(database)
    execute(database, sql)
    assert file_of_people(database) != before
    assert await is_refused(tmp_path, "contract", sql)


@pytest.mark.parametrize("sql", REWRITES_NOTHING)
async def test_one_that_is_not_is_let_through(
    database: psycopg.Connection[Any], tmp_path: Path, sql: str
) -> None:
    before = file_of_people(database)
    execute(database, sql)
    assert file_of_people(database) == before
    assert not await is_refused(tmp_path, "contract", sql)


async def test_a_check_of_a_new_column_reads_all_rows(
    database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    told: list[str | None] = []
    database.add_notice_handler(lambda notice: told.append(notice.message_primary))
    execute(database, "SET client_min_messages = debug1")
    reads = "ALTER TABLE people ADD COLUMN a bigint CHECK (a > 0)"
    execute(database, reads)
    assert 'verifying table "people"' in told
    assert await is_refused(tmp_path, "contract", reads)
    told.clear()
    reads_nothing = "ALTER TABLE people ADD COLUMN b bigint, ADD CHECK (b > 0) NOT VALID"
    execute(database, reads_nothing)
    assert 'verifying table "people"' not in told
    assert not await is_refused(tmp_path, "contract", reads_nothing)


@pytest.mark.parametrize("way", SAFE_WAYS)
async def test_a_safe_way_can_be_gone(database: psycopg.Connection[Any], tmp_path: Path, way: str) -> None:
    for sql in SAFE_WAYS[way]:
        assert not await is_refused(tmp_path, "contract", sql)
        if split(sql)[0].runs_alone:
            execute(database, sql)
        else:
            with database.transaction():
                execute(database, sql)
