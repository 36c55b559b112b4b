"""A cancelled caller leaves a transaction that has happened whole or not at all, and a free lock."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random

import aiosqlite
import pytest

from bluegreen.model.errors import NotServing
from bluegreen.model.event import What
from deployment_store import SqliteStore
from deployment_store.connection import connect
from deployment_store.same_file import SameFile
from deployment_store.session import Begin, Session
from tests.deployment_store.samples import add_catalogue, event, raw


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[aiosqlite.Connection]:
    async with connect(tmp_path / "numbers.db") as opened:
        await opened.execute("CREATE TABLE numbers (number INTEGER UNIQUE)")
        yield opened


@pytest.fixture
def session(connection: aiosqlite.Connection, tmp_path: Path) -> Session:
    return Session(connection, Begin.WRITE, SameFile(tmp_path / "numbers.db"))


class Half:
    """Work that stands still between its two statements."""

    def __init__(self, then: str) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self._then = then

    async def __call__(self, db: aiosqlite.Connection) -> None:
        await db.execute("INSERT INTO numbers VALUES (1)")
        self.reached.set()
        await self.go_on.wait()
        await db.execute(self._then)


async def numbers(session: Session) -> list[int]:
    async def read(db: aiosqlite.Connection) -> list[int]:
        return [row["number"] for row in await db.execute_fetchall("SELECT number FROM numbers")]

    return await session.transact(read)


async def test_a_cancelled_transaction_is_finished_first(session: Session) -> None:
    half, committed = Half("INSERT INTO numbers VALUES (2)"), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(session.transact(half, committed.set))
        await half.reached.wait()
        reading = tasks.create_task(numbers(session))
        for _ in range(3):  # however often it is cancelled
            writing.cancel()
            await asyncio.wait((writing,), timeout=0.01)
            assert not writing.done()
            assert not reading.done()
        half.go_on.set()
    assert writing.cancelled()
    assert committed.is_set()
    assert reading.result() == [1, 2]


async def test_a_cancelled_transaction_that_fails_is_rolled_back(session: Session) -> None:
    half, committed = Half("INSERT INTO numbers VALUES (1)"), asyncio.Event()
    writing = asyncio.ensure_future(session.transact(half, committed.set))
    await half.reached.wait()
    writing.cancel()
    half.go_on.set()
    with pytest.raises(asyncio.CancelledError) as raised:
        await writing
    assert isinstance(raised.value.__cause__, sqlite3.IntegrityError)
    assert not committed.is_set()
    assert await numbers(session) == []


async def test_who_is_cancelled_in_the_queue_has_done_nothing(session: Session) -> None:
    first, second = Half("SELECT 1"), Half("SELECT 1")
    holding = asyncio.ensure_future(session.transact(first))
    await first.reached.wait()
    waiting = asyncio.ensure_future(session.transact(second))
    await asyncio.wait((waiting,), timeout=0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not second.reached.is_set()
    first.go_on.set()
    await holding
    assert await numbers(session) == [1]


async def test_the_end_of_the_loop_leaves_no_open_transaction(session: Session) -> None:
    """asyncio.run cancels every task there is, those that finish a transaction too."""
    half = Half("SELECT 1")
    before = asyncio.all_tasks()
    writing = asyncio.ensure_future(session.transact(half))
    await half.reached.wait()
    for task in asyncio.all_tasks() - before:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await numbers(session) == []


async def test_what_follows_a_commit_comes_after_it(session: Session, tmp_path: Path) -> None:
    half, seen = Half("SELECT 1"), list[list[int]]()
    half.go_on.set()

    def look() -> None:
        with raw(tmp_path / "numbers.db") as shell:
            seen.append([number for (number,) in shell.execute("SELECT number FROM numbers")])

    await session.transact(half, look)
    assert seen == [[1]]


async def test_a_database_locked_by_another_program_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deployment_store.connection.BUSY_TIMEOUT", 0.05)
    path = tmp_path / "bluegreen.db"
    async with SqliteStore.open(path) as store:
        await add_catalogue(store)
        with raw(path) as shell:
            shell.execute("BEGIN IMMEDIATE")
            with pytest.raises(NotServing, match="database is locked"):
                await store.compare_and_set(await store.load("shop"), 0, [])
            shell.execute("ROLLBACK")
        assert (await store.compare_and_set(await store.load("shop"), 0, [])).revision == 1


async def test_an_error_rolls_back_and_frees_the_lock(session: Session) -> None:
    half = Half("INSERT INTO numbers VALUES (1)")
    half.go_on.set()
    with pytest.raises(sqlite3.IntegrityError):
        await session.transact(half)
    assert await numbers(session) == []


async def test_a_full_disk_is_told_and_changes_nothing(
    session: Session, connection: aiosqlite.Connection
) -> None:
    await connection.execute_fetchall("PRAGMA max_page_count = 4")

    async def fill(db: aiosqlite.Connection) -> None:
        await db.execute("INSERT INTO numbers VALUES (1)")
        await db.execute("CREATE TABLE large AS SELECT zeroblob(100000)")

    with pytest.raises(NotServing, match="database or disk is full"):
        await session.transact(fill)
    assert await numbers(session) == []


async def test_compare_and_set_cancelled_at_random_moments(store: SqliteStore) -> None:
    random, cancelled = Random(1), 0
    for attempt in range(80):
        before = await store.load("shop")
        changed = replace(before, traffic=replace(before.traffic, cutover_percent=(attempt + 1) % 100))
        try:
            async with asyncio.timeout(random.uniform(0, 0.004)):
                await store.compare_and_set(changed, before.revision, [event(What.WEIGHT_SET)])
        except TimeoutError:
            cancelled += 1
        after = await store.load("shop")
        assert after in (before, replace(changed, revision=before.revision + 1))
        assert len(await store.events("shop")) == after.revision
    assert cancelled > 0
