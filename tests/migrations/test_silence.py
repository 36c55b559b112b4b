"""A network that swallows what the database says, and ends no connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.app.demo.postgres import PostgresServer
from bluegreen.migrations import connection, postgres_migrator, silence
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.secret import Secret
from bluegreen.model.verdict import Verdict
from tests.migrations.conftest import SECONDS, Shop
from tests.support.cable import Cable


class DatabaseCable(Cable):
    """Leads to the socket of a PostgreSQL."""

    def __init__(self, socket: Path, past: Secret) -> None:
        """`past` leads to the database without it."""
        super().__init__(Endpoint("127.0.0.1", 1))
        self._socket = socket
        self.past = past

    async def _reach(self, target: Endpoint) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(self._socket)


@pytest.fixture
async def cable(
    shop: Shop, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[DatabaseCable]:
    """Between the shop and its database."""
    monkeypatch.setattr(silence, "LONGEST_SILENCE", 0.5)
    monkeypatch.setattr(silence, "PAUSE", 0.05)
    (database,) = await shop.ask("SELECT current_database()")
    made = DatabaseCable(postgres.directory / ".s.PGSQL.5432", shop.database.url)
    await made.mend()
    shop.change(url=Secret(f"postgresql://postgres@{made.address}/{database}?sslmode=disable"))
    yield made
    made.hear()
    await made.cut()


async def test_a_run_ends_when_nothing_is_heard_of_the_database_any_more(
    shop: Shop, cable: DatabaseCable
) -> None:
    shop.write("v1", {"0002_slow.expand": "SELECT pg_sleep(60)"})
    running = asyncio.ensure_future(shop.run("v1"))
    await shop.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    cable.deafen()
    outcome = await asyncio.wait_for(running, 2 * SECONDS)
    assert outcome.verdict is Verdict.ERROR
    assert outcome.summary == "The database does not answer: nothing was heard of it for 0.5 s"
    assert outcome.ledger is None
    cable.hear()
    shop.write("v1", {"0002_slow.expand": "SELECT 1"})
    await shop.apply("v1")


async def test_a_runner_that_hangs_lets_go_of_its_locks(
    shop: Shop, cable: DatabaseCable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "LONGEST_SILENCE", 2 * SECONDS)
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.5)
    direct = Shop(shop.root, replace(shop.database, url=cable.past), shop.migrator)
    await shop.apply("v1")
    shop.write("v1", {"0002_more.expand": (
        "ALTER TABLE people ADD COLUMN more text; SELECT pg_advisory_xact_lock(7)"
    )})  # fmt: skip
    shop.change(lock_timeout=SECONDS)
    async with direct.session() as other, direct.session() as application:
        await other.execute("SELECT pg_advisory_lock(7)")
        running = asyncio.ensure_future(shop.run("v1"))
        await shop.until("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        cable.deafen()
        await asyncio.wait_for(other.execute("SELECT pg_advisory_unlock(7)"), SECONDS)
        await asyncio.wait_for(application.execute("SELECT FROM people"), SECONDS)
        assert not running.done()
    await cable.cut()
    assert (await running).verdict is Verdict.ERROR


async def test_a_plan_does_not_wait_for_ever_either(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.apply("v1")
    await shop.ask("CREATE VIEW one AS SELECT 1 AS number")
    shop.change(lock_timeout=SECONDS, statement_timeout=SECONDS)
    monkeypatch.setattr(postgres_migrator, "LONGEST_SILENCE", 1 - SECONDS)
    async with shop.session() as other, other.transaction():
        await other.execute("LOCK TABLE one")
        plan = await shop.plan("v1")
    assert plan.problems == ("The database does not answer: nothing was heard of it for 1 s",)
