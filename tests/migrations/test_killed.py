"""Killed at any point, it can be run again: to the same end, with nothing done twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable

import pytest

from bluegreen.model.migration import Phase
from bluegreen.model.secret import Secret
from tests.migrations.conftest import PEOPLE, SPLIT, Shop

ROWS = 3000
FILES = {
    "0001_people.expand": PEOPLE,
    "0002_split_name.expand": (
        "ALTER TABLE people ADD COLUMN first text, ADD COLUMN last text;"
        f"INSERT INTO people (id) SELECT generate_series(1, {ROWS});"  # would fail, done twice
    ),
    "0002_split_name.backfill": "-- bluegreen: table=people key=id\n" + SPLIT,
    "0002_split_name.contract": "ALTER TABLE people DROP COLUMN name;",
    "0003_last.expand": "CREATE UNIQUE INDEX CONCURRENTLY people_by_last ON public.people (last, id DESC);",
    "0004_unused.expand": "CREATE INDEX people_unused ON people (times)",
    "0005_unused.contract": "DROP INDEX CONCURRENTLY people_unused",
}


class Runner:
    """Starts runs that are processes of their own."""

    def __init__(self, process: Process) -> None:
        assert process.stdin
        assert process.stdout
        self._to, self._from = process.stdin, process.stdout

    async def start(self, shop: Shop, phase: Phase, steps: int = 0) -> int:
        """The process's id; before the exchange after `steps` it kills itself."""
        self._to.write(f"{shop.url} {shop.root} v1 {phase} {steps}\n".encode())
        return int((await self._from.readline()).split()[1])

    async def end(self) -> str:
        return (await self._from.readline()).decode().strip()


@pytest.fixture
async def runner() -> AsyncIterator[Runner]:
    arguments = ("-m", "tests.migrations.killed_runs")
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE, stdout=PIPE)
    assert process.stdin
    yield Runner(process)
    process.stdin.close()
    assert await process.wait() == 0


async def all_is_done_once(shop: Shop) -> None:
    assert await shop.ask("SELECT first, last, times, count(*) FROM people GROUP BY 1, 2, 3") == [
        ("Ada", "Lovelace", 1, ROWS)
    ]
    assert await shop.ask("SELECT number, phase FROM bluegreen.migrations ORDER BY applied_at") == [
        *((number, "expand") for number in (1, 2, 3, 4)),
        (2, "backfill"),
        *((number, "contract") for number in (2, 5)),
    ]
    assert await shop.ask(
        "SELECT i.relname, x.indisvalid FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
        " WHERE x.indrelid = 'people'::regclass ORDER BY 1"
    ) == [("people_by_last", True), ("people_pkey", True)]
    assert await shop.ask("SELECT count(*) FROM bluegreen.attempts") == [0]
    assert (await shop.plan("v1")).drift == ()


async def killed_at_every(shop: Shop, runner: Runner, steps: range) -> int:
    """Kill each phase after so many exchanges, and run it again; how many were killed."""
    killed = 0
    for phase in Phase:
        for step in steps:
            await runner.start(shop, phase, step)
            ended = await runner.end()
            if ended == "pass":
                break
            assert ended == "killed"
            killed += 1
        assert ended == "pass", "more steps are needed"
    await all_is_done_once(shop)
    return killed


async def test_killed_again_and_again_it_comes_to_its_end(shop: Shop, runner: Runner) -> None:
    """Each run gets a little further than the one before."""
    shop.write("v1", FILES)
    assert await killed_at_every(shop, runner, range(3, 400, 2)) > 40


@pytest.mark.slow
@pytest.mark.parametrize("phase", list(Phase))
async def test_killed_once_at_any_point_the_next_run_makes_it_whole(
    shop: Shop, runner: Runner, new_database: Callable[[], str], phase: Phase
) -> None:
    shop.write("v1", FILES)
    for step in range(1, 200):
        shop.change(url=Secret(new_database()))
        for before in list(Phase)[: list(Phase).index(phase)]:
            await shop.apply("v1", before)
        await runner.start(shop, phase, step)
        ended = await runner.end()
        for each in Phase:
            await shop.apply("v1", each)
        await all_is_done_once(shop)
        if ended == "pass":
            return
    raise AssertionError("more steps are needed")


async def test_killed_amid_an_index(shop: Shop, runner: Runner) -> None:
    """The index that it leaves is invalid; the server notices that nobody waits for it any more."""
    shop.write("v1", FILES)
    async with shop.session() as other, other.transaction():
        await other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await other.execute("SELECT 1")  # what it sees from now on, the index has to wait for
        pid = await runner.start(shop, Phase.EXPAND)
        await shop.until(
            "SELECT count(*) > 0 FROM pg_stat_progress_create_index WHERE phase = 'waiting for old snapshots'"
        )
        os.kill(pid, signal.SIGKILL)
        assert await runner.end() == "killed"
        await shop.until(
            "SELECT count(*) = 0 FROM pg_stat_activity"
            " WHERE application_name LIKE 'bluegreen %' AND datname = current_database()"
        )
        invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
        assert await shop.ask(invalid) == ["people_by_last"]
        assert (await shop.plan("v1")).drift == ()
    for phase in Phase:
        await shop.apply("v1", phase)
    await all_is_done_once(shop)


async def test_killed_amid_a_batch(shop: Shop, runner: Runner) -> None:
    shop.write("v1", FILES)
    await shop.apply("v1")
    async with shop.session() as other, other.transaction():
        await other.execute("SELECT FROM people WHERE id = 2000 FOR UPDATE")
        pid = await runner.start(shop, Phase.BACKFILL)
        await shop.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'transactionid'")
        os.kill(pid, signal.SIGKILL)
        assert await runner.end() == "killed"
        (done,) = await shop.ask("SELECT rows_done FROM bluegreen.backfills")
        assert 0 < done < 2000
    for phase in (Phase.BACKFILL, Phase.CONTRACT):
        await shop.apply("v1", phase)
    await all_is_done_once(shop)
