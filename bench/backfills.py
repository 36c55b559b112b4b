"""How fast a backfill is, whether it holds its rate, and what the application notices of it."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psycopg

from bluegreen.app.demo.postgres import postgres_server
from bluegreen.migrations.postgres_migrator import PostgresMigrator
from bluegreen.model.database import Database
from bluegreen.model.migration import MigrationOrder, MigrationProgress, Phase
from bluegreen.model.secret import Secret
from bluegreen.model.verdict import Verdict

PARTS = 10
FILES = {
    "0001_people.expand.sql": "CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL);",
    "0002_split_name.expand.sql": "ALTER TABLE people ADD COLUMN first text, ADD COLUMN last text;",
    "0002_split_name.backfill.sql": (
        "-- bluegreen: table=people key=id\n"
        "UPDATE people SET first = split_part(name, ' ', 1), last = split_part(name, ' ', 2)\n"
        "WHERE id > :after AND id <= :upto;"
    ),
}
FILL = "INSERT INTO people (id, name) SELECT n, 'Ada Lovelace ' || n FROM generate_series(1, %s) n"
WRITE = "UPDATE people SET name = name || '' WHERE id = %s"


@dataclass(frozen=True, slots=True)
class BackfillFigures:
    """`rates` are rows a second of each tenth of the rows; `writes` the seconds that each write of the
    application took meanwhile, `quiet` before."""

    rows: int
    load: int
    seconds: float
    rates: tuple[float, ...]
    quiet: tuple[float, ...]
    writes: tuple[float, ...]


async def backfill(rows: int, load: int) -> BackfillFigures:
    """A table of so many rows, filled in with `backfill_load` while an application writes to it."""
    with postgres_server() as server, tempfile.TemporaryDirectory() as name:
        for file, text in FILES.items():
            (Path(name) / file).write_text(text)
        database = Database(Secret(server.url()), f"{name}/", backfill_load=load)
        async with PostgresMigrator.open() as migrator:
            await _run(migrator, database, Phase.EXPAND)
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute(FILL, (rows,))
                connection.execute("VACUUM ANALYZE people")
            quiet = await _writes_during(server.url(), rows, asyncio.sleep(2.0))
            told = [(time.perf_counter(), 0)]

            def tell(progress: MigrationProgress) -> None:
                told.append((time.perf_counter(), progress.rows_done))

            writes = await _writes_during(server.url(), rows, _run(migrator, database, Phase.BACKFILL, tell))
    return BackfillFigures(rows, load, told[-1][0] - told[0][0], _rates(told, rows), quiet, writes)


async def _run(
    migrator: PostgresMigrator,
    database: Database,
    phase: Phase,
    tell: Callable[[MigrationProgress], None] = lambda progress: None,
) -> None:
    outcome = await migrator.run(MigrationOrder("shop", "v1", phase, database, "bench"), tell)
    if outcome.verdict is not Verdict.PASS:
        raise RuntimeError(outcome.summary)


async def _writes_during(url: str, rows: int, work: Awaitable[None]) -> tuple[float, ...]:
    """An application that writes to any of the rows, one after the other, a hundred times a second."""
    seconds: list[float] = []

    async def write() -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            while True:
                began = time.perf_counter()
                await connection.execute(WRITE, (random.randint(1, rows),))  # noqa: S311 - no secret
                seconds.append(time.perf_counter() - began)
                await asyncio.sleep(0.01)

    writing = asyncio.ensure_future(write())
    try:
        await work
    finally:
        writing.cancel()
        await asyncio.wait((writing,))
    return tuple(seconds)


def _rates(told: list[tuple[float, int]], rows: int) -> tuple[float, ...]:
    """Of each tenth, between the first moments when so many rows were done."""
    ends = [next(each for each in told if each[1] >= rows * part // PARTS) for part in range(PARTS + 1)]
    return tuple(
        (after[1] - before[1]) / (after[0] - before[0]) if after[0] > before[0] else float("nan")
        for before, after in pairwise(ends)
    )
