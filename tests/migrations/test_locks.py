"""Locks: nobody waits for a migration longer than `lock_timeout`, by the clock of the database itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from bluegreen.model.migration import Phase
from bluegreen.model.verdict import Verdict
from tests.migrations.conftest import PEOPLE, SECONDS, Shop

READ, WRITE = "SELECT count(*) FROM people", "UPDATE people SET times = times + 1 WHERE id = 1"

# To tell what it is, PostgreSQL locks it, for an instant.
VIEW = "CREATE VIEW one AS SELECT 1 AS number;"


@pytest.fixture
async def open_shop(shop: Shop) -> Shop:
    """Its table is there, with a row."""
    await shop.apply("v1")
    await shop.ask("INSERT INTO people (id) VALUES (1)")
    await shop.ask("CREATE TABLE orders (id bigint)")
    await shop.run("v1", accept_drift=True)
    # Long enough for a busy machine: who is late to look makes others wait.
    shop.change(lock_timeout=1.5)
    return shop


@asynccontextmanager
async def held(shop: Shop, statement: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Somebody's transaction that holds the locks of a statement for as long as the context is open."""
    async with shop.session() as connection, connection.transaction():
        await connection.execute(statement.encode())
        yield connection


@dataclass
class Traffic:
    """Requests of the application, one after the other. The database itself cancels any that waits longer
    than the migration's `lock_timeout` for a lock."""

    requests: int = 0

    async def send(self, shop: Shop, statement: str) -> None:
        async with shop.session() as connection:
            await connection.execute(f"SET lock_timeout = '{shop.database.lock_timeout}s'".encode())
            while True:
                await connection.execute(statement.encode())
                self.requests += 1
                await asyncio.sleep(0.001)


@asynccontextmanager
async def traffic(shop: Shop) -> AsyncIterator[Traffic]:
    """Raises what the database has against any of the requests."""
    sent = Traffic()
    tasks = [asyncio.ensure_future(sent.send(shop, statement)) for statement in (READ, READ, WRITE)]
    try:
        yield sent
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            raise task.exception() or AssertionError("a request came to an end")


async def test_nobody_waits_behind_a_migration_that_waits(open_shop: Shop) -> None:
    """The issue's line: a long transaction holds a lock, a migration tries for its own again and again, and
    the requests that queue behind it pass in between."""
    shop = open_shop
    shop.write("v1", {"0002_more.expand": "ALTER TABLE people ADD COLUMN more text;"})
    async with traffic(shop) as sent:
        async with held(shop, READ):
            running = asyncio.ensure_future(shop.run("v1"))
            for _ in range(2):  # attempts
                shop.progress.clear()
                note = await shop.until_told("it is tried again")
                before = sent.requests
            await shop.until_told("It waits for process")
            assert not running.done()
        outcome = await running
    assert outcome.verdict is Verdict.PASS
    assert sent.requests > before
    assert note.startswith("0002_more.expand.sql:1: ")


async def test_nobody_waits_for_one_that_holds_a_lock_and_waits_for_another(open_shop: Shop) -> None:
    shop = open_shop
    shop.write("v1", {"0002_more.expand": (
        "ALTER TABLE people ADD COLUMN more text;\n"
        "SELECT pg_sleep(0.8);\n"  # so that it and lock_timeout would be too long together
        "ALTER TABLE orders ADD COLUMN more text;"
    )})  # fmt: skip
    async with traffic(shop):
        async with held(shop, "SELECT FROM orders"):
            running = asyncio.ensure_future(shop.run("v1"))
            await shop.until_told("others waited for its locks, and it let them pass")
        assert (await running).verdict is Verdict.PASS


async def test_a_file_that_holds_its_locks_too_long_never_succeeds_under_load(open_shop: Shop) -> None:
    shop = open_shop
    shop.change(patience=1.0)
    shop.write("v1", {"0002_more.expand": "ALTER TABLE people ADD COLUMN more text;\nSELECT pg_sleep(3);"})
    async with traffic(shop):
        said = await shop.refused("v1")
    assert "0002_more.expand.sql:2: others waited for its locks" in said
    assert "it was tried for 1 s" in said


async def test_who_is_in_the_way_is_told_and_patience_ends(open_shop: Shop) -> None:
    shop = open_shop
    shop.change(patience=0.6, lock_timeout=0.4)
    shop.write("v1", {"0002_more.expand": "SELECT 1;\nALTER TABLE people ADD COLUMN more text;"})
    async with held(shop, READ) as other:
        pid = other.info.backend_pid
        said = await shop.refused("v1")
    assert "0002_more.expand.sql:2: a lock was not to be had within lock_timeout" in said
    assert f"process {pid} (no name of postgres, idle in transaction since " in said


async def test_who_is_in_the_way_at_the_beginning_is_waited_for(two_versions: Shop) -> None:
    shop = two_versions
    for version in ("v1", "v2"):
        shop.write(version, {"0001_people.expand": f"{PEOPLE} {VIEW}"})
    await shop.apply("v1")
    for phase in Phase:
        async with held(shop, "LOCK TABLE people" if phase is Phase.BACKFILL else "LOCK TABLE one"):
            shop.progress.clear()
            running = asyncio.ensure_future(shop.run("v2", phase))
            assert "a lock was not to be had within" in await shop.until_told("it is tried again")
        assert (await running).verdict is Verdict.PASS


async def test_nobody_waits_until_the_schema_is_looked_at(open_shop: Shop) -> None:
    """Which takes long where it is large: the file's own locks are free by then."""
    shop = open_shop
    shop.change(lock_timeout=SECONDS)
    await shop.ask(VIEW)
    await shop.run("v1", accept_drift=True)
    shop.write("v1", {"0002_more.expand": (
        "ALTER TABLE people ADD COLUMN more text; SELECT pg_advisory_xact_lock(7)"
    )})  # fmt: skip
    async with held(shop, "SELECT pg_advisory_xact_lock(7)") as first, shop.session() as second:
        running = asyncio.ensure_future(shop.run("v1"))
        await shop.until("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        async with second.transaction():
            await second.execute("LOCK TABLE one")
            await first.execute("ROLLBACK")
            await shop.until(
                "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'one'::regclass AND NOT granted"
            )
            assert await asyncio.wait_for(shop.ask("SELECT count(more) FROM people"), SECONDS) == [0]
            assert not running.done()
    assert (await running).verdict is Verdict.PASS
    assert (await shop.plan("v1")).drift == ()


async def test_a_deadlock_is_tried_again(open_shop: Shop) -> None:
    shop = open_shop
    shop.change(lock_timeout=SECONDS)
    shop.write("v1", {"0002_more.expand": (
        "SET deadlock_timeout = '10ms'; LOCK TABLE people; SELECT pg_advisory_xact_lock(7);"
        " LOCK TABLE orders; ALTER TABLE people ADD COLUMN more text;"
    )})  # fmt: skip
    async with held(shop, "LOCK TABLE orders") as other:
        # Who waits last, and checks first, finds the deadlock: that is to be the migration.
        await other.execute("SET LOCAL deadlock_timeout = '1min'")
        async with held(shop, "SELECT pg_advisory_xact_lock(7)"):
            running = asyncio.ensure_future(shop.run("v1"))
            await shop.until("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            blocked = asyncio.ensure_future(other.execute("LOCK TABLE people"))
            waits = "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'people'::regclass AND NOT granted"
            await shop.until(waits)
        await shop.until_told("it and another transaction waited for one another")
        await blocked
    assert (await running).verdict is Verdict.PASS


async def test_two_runners_take_turns(open_shop: Shop) -> None:
    shop = open_shop
    shop.write("v1", {"0002_more.expand": "ALTER TABLE people ADD COLUMN more text;"})
    second = Shop(shop.root, shop.database, shop.migrator)
    async with held(shop, READ):
        running = asyncio.ensure_future(shop.run("v1"))
        await shop.until_told("It waits for process")
        waiting = asyncio.ensure_future(second.run("v1"))
        note = await second.until_told("Another runner has this database")
        assert "(bluegreen shop v1 expand) since 20" in note
    one, other = await running, await waiting
    assert (one.verdict, other.verdict) == (Verdict.PASS, Verdict.PASS)
    assert (len(one.findings), len(other.findings)) == (1, 0)
    assert one.ledger == other.ledger


async def test_a_lock_that_is_lost_is_noticed(open_shop: Shop) -> None:
    """As it is behind a pooler that gives each transaction another session."""
    files = {"0002_all.expand": "SELECT pg_advisory_unlock_all();", "0003_more.expand": "SELECT 1"}
    open_shop.write("v1", files)
    assert "The lock that keeps other runners away is lost" in await open_shop.refused("v1")
    assert [str(each.migration) for each in (await open_shop.plan("v1")).pending] == ["0003_more.expand"]


async def test_who_waits_for_another_runner_gives_up_in_the_end(open_shop: Shop) -> None:
    shop = open_shop
    shop.write("v1", {"0002_more.expand": "ALTER TABLE people ADD COLUMN more text;"})
    second = Shop(shop.root, shop.database, shop.migrator)
    second.change(patience=0.5)
    async with held(shop, READ):
        running = asyncio.ensure_future(shop.run("v1"))
        await shop.until_told("It waits for process")
        assert "Another runner has this database: process" in await second.refused("v1")
        running.cancel()
        await asyncio.wait((running,))


async def test_a_batch_gives_way_to_others(two_versions: Shop) -> None:
    """A row that somebody holds: the batch that wants it is made again, smaller, and others do not wait."""
    shop = two_versions
    await shop.apply("v2")
    shop.change(lock_timeout=1.5)
    await shop.ask("INSERT INTO people (id) SELECT generate_series(1, 2000)")
    async with traffic(shop):
        async with held(shop, "SELECT FROM people WHERE id = 1999 FOR UPDATE"):
            running = asyncio.ensure_future(shop.run("v2", Phase.BACKFILL))
            await shop.until_told("it is tried again")
        assert (await running).verdict is Verdict.PASS
    assert await shop.ask("SELECT count(*) FROM people WHERE first = 'Ada'") == [2000]
    assert await shop.ask("SELECT DISTINCT times FROM people WHERE id > 1") == [1]
