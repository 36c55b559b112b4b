"""Backfills: every row once, in batches of the right size, at the right pace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bluegreen.migrations.backfill import Rate
from bluegreen.migrations.backfill_batch import FIRST_ROWS, MOST_ROWS, BatchSize, first_batch, next_batch
from bluegreen.migrations.errors import GaveWay, Refused
from bluegreen.migrations.migration_directory import look_into
from bluegreen.migrations.migration_file import MigrationFile, parse_name
from bluegreen.migrations.patience import Clock, persist
from bluegreen.migrations.phase_run import PhaseRun
from bluegreen.migrations.session import Session
from bluegreen.model.migration import MigrationProgress, Phase
from bluegreen.model.verdict import Verdict
from tests.migrations.conftest import Shop, no_lint

HEADER = "-- bluegreen: table={} key={}\n"
TIMES = "UPDATE people SET times = times + 1 WHERE id > :after AND id <= :upto"


@dataclass
class HandClock:
    """Time passes where somebody sleeps, and by `each` at every look at it."""

    each: float = 0.0
    at: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        self.at += self.each
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)

    def clock(self) -> Clock:
        return Clock(self.now, self.sleep, lambda: 1.0)


def times(shop: Shop, text: str = HEADER.format("people", "id") + TIMES) -> None:
    shop.write("v1", {"0002_times.backfill": text})


@pytest.fixture
async def crowd(shop: Shop) -> Shop:
    """With 10,000 people, whose ids have gaps and begin far below 0; a backfill counts its visits."""
    await shop.apply("v1")
    await shop.ask("INSERT INTO people (id) SELECT n * 7 - 35000 FROM generate_series(1, 10000) n")
    times(shop)
    return shop


async def test_every_row_is_gone_through_once(crowd: Shop) -> None:
    await crowd.apply("v1", Phase.BACKFILL)
    assert await crowd.ask("SELECT times, count(*) FROM people GROUP BY 1") == [(1, 10000)]
    done = [each.rows_done for each in crowd.progress if each.rows_total >= 0]
    assert done[0] == 0
    assert done[-1] == 10000
    assert done == sorted(done)
    assert {each.rows_total for each in crowd.progress[-3:]} == {10000}
    assert all(each.rows_per_second > 0 for each in crowd.progress[-3:])


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ('text COLLATE "C"', "CASE n WHEN 1 THEN '' ELSE 'it''s \\ ' || chr(50 + n) || 'ä' || n END"),
        ("uuid", "CASE n WHEN 1 THEN repeat('0', 32)::uuid ELSE gen_random_uuid() END"),
        ("timestamptz", "CASE n WHEN 1 THEN '-infinity' ELSE now() + n * interval '7.000001 min' END"),
        ("numeric(20, 10)", "n / 3.0 - 100"),
        ("smallint", "n - 32769"),
        ("double precision", "CASE n WHEN 1 THEN '-infinity' ELSE n / 3.0 END"),
    ],
)  # fmt: skip
async def test_keys_of_any_ordered_type(shop: Shop, column: str, values: str) -> None:
    shop.write(
        "v1",
        {"0001_people.expand": f'CREATE TABLE "Things" ("Key" {column} PRIMARY KEY, times int DEFAULT 0)'},
    )
    await shop.apply("v1")
    await shop.ask(f'INSERT INTO "Things" SELECT {values} FROM generate_series(1, 3000) n')  # noqa: S608
    text = 'UPDATE "Things" t SET times = times + 1 WHERE :upto >= "Key" AND :after < "Key"'
    times(shop, HEADER.format('public."Things"', '"Key"') + text)
    await shop.apply("v1", Phase.BACKFILL)
    assert await shop.ask('SELECT times, count(*) FROM "Things" GROUP BY 1') == [(1, 3000)]


async def test_an_empty_table_has_nothing_to_fill(shop: Shop) -> None:
    await shop.apply("v1")
    times(shop)
    outcome = await shop.apply("v1", Phase.BACKFILL)
    assert outcome.findings[0].summary == "went through 0 rows"


async def test_given_up_it_goes_on_where_it_was(crowd: Shop) -> None:
    crowd.change(backfill_load=5)
    running = asyncio.ensure_future(crowd.run("v1", Phase.BACKFILL))
    while not any(each.rows_done for each in crowd.progress):
        crowd.told.clear()
        await crowd.told.wait()
    running.cancel()
    await asyncio.wait((running,))
    (kept,) = await crowd.ask("SELECT rows_done FROM bluegreen.backfills")
    assert 0 < kept < 10000
    assert await crowd.ask("SELECT count(*) FROM people WHERE times = 1") == [kept]
    crowd.change(backfill_load=100)
    crowd.progress.clear()
    await crowd.apply("v1", Phase.BACKFILL)
    assert next(each for each in crowd.progress if each.rows_total >= 0).rows_done == kept
    assert await crowd.ask("SELECT times, count(*) FROM people GROUP BY 1") == [(1, 10000)]
    (seconds,) = await crowd.ask("SELECT seconds FROM bluegreen.migrations WHERE phase = 'backfill'")
    assert seconds > 0


async def test_a_batch_that_fails_leaves_the_ones_before(crowd: Shop) -> None:
    await crowd.ask("ALTER TABLE people ADD CHECK (times = 0 OR id < 0) NOT VALID")
    await crowd.apply("v1", accept_drift=True)
    said = await crowd.refused("v1", Phase.BACKFILL)
    assert '0002_times.backfill.sql:2: new row for relation "people" violates check constraint' in said
    (done,) = await crowd.ask("SELECT rows_done FROM bluegreen.backfills")
    assert 0 < done < 5000
    await crowd.ask("ALTER TABLE people DROP CONSTRAINT people_check")
    await crowd.apply("v1", Phase.BACKFILL, accept_drift=True)
    assert await crowd.ask("SELECT times, count(*) FROM people GROUP BY 1") == [(1, 10000)]


async def test_a_batch_that_takes_too_long_is_made_smaller(crowd: Shop) -> None:
    crowd.change(statement_timeout=0.3)
    await crowd.ask("DELETE FROM people WHERE id > -33600")
    times(crowd, HEADER.format("people", "id") + TIMES + " AND pg_sleep(0.001) IS NOT NULL")
    await crowd.apply("v1", Phase.BACKFILL)
    assert any("a batch of 500 rows took too long; it is tried again" in note for note in crowd.notes())
    assert await crowd.ask("SELECT times, count(*) FROM people GROUP BY 1") == [(1, 200)]


async def test_rows_that_come_meanwhile(crowd: Shop) -> None:
    """With higher keys they are gone through too."""
    added = asyncio.Event()

    def tell(progress: MigrationProgress) -> None:
        if progress.rows_done:
            added.set()

    crowd.change(backfill_load=10)
    running = asyncio.ensure_future(crowd.migrator.run(crowd.order("v1", Phase.BACKFILL), tell))
    await added.wait()
    await crowd.ask("INSERT INTO people (id) SELECT generate_series(1000000, 1000099)")
    outcome = await running
    assert outcome.verdict is Verdict.PASS
    assert await crowd.ask("SELECT times, count(*) FROM people GROUP BY 1") == [(1, 10100)]


@pytest.mark.parametrize(
    ("table", "text", "said"),
    [
        ("CREATE TABLE t (id bigint NOT NULL)", TIMES, "t.id has no unique index of its own"),
        ("CREATE TABLE t (id bigint, b int, PRIMARY KEY (id, b))", TIMES, "has no unique index of its own"),
        ("CREATE TABLE t (id bigint UNIQUE)", TIMES, "t.id can be NULL: such rows would be in no batch"),
        ("CREATE TABLE s (id bigint)", TIMES, "there is no table t with a column id"),
        ("CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t VALUES (1)",
         "UPDATE t SET id = id\nWHERE id BETWEEN :after AND :upto", ":2: write KEY > :after"),
        ("CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t VALUES (1)",
         "UPDATE t\nSET id = nix WHERE id > :after AND id <= :upto", '.sql:3: column "nix" does not exist'),
    ],
)  # fmt: skip
async def test_a_backfill_that_cannot_be_cut_into_batches(
    shop: Shop, table: str, text: str, said: str
) -> None:
    shop.write("v1", {"0001_people.expand": table})
    await shop.apply("v1")
    times(shop, HEADER.format("t", "id") + text)
    assert said in await shop.refused("v1", Phase.BACKFILL)


async def run_by(shop: Shop, hand: HandClock) -> PhaseRun:
    run = PhaseRun(no_lint, (), (await asyncio.to_thread(look_into, shop.root / "v1")).files)
    told: Callable[[MigrationProgress], None] = shop.progress.append
    async with Session.open(shop.order("v1", Phase.BACKFILL), hand.clock(), told) as session:
        await run.run(session)
    return run


async def test_it_works_its_part_of_the_time(crowd: Shop) -> None:
    """By a clock of the test: each batch takes 10 ms, and it works a fifth of the time."""
    crowd.change(backfill_load=20, batch_time=0.01)
    hand = HandClock(each=0.005)
    await run_by(crowd, hand)
    pauses = {round(pause, 6) for pause in hand.slept}
    assert len(hand.slept) > 3
    assert all(pause == pytest.approx(4 * 0.005, abs=0.021) for pause in pauses), pauses


def test_a_batch_grows_and_shrinks_to_its_time() -> None:
    """A table that does 10,000 rows in a second, then 1,000."""
    size = BatchSize(0.2)
    assert size.rows == FIRST_ROWS
    seen = []
    for speed in (*[10_000] * 6, *[1_000] * 6):
        size.took(size.rows / speed)
        seen.append(size.rows)
    assert seen == [1000, 2000, 2000, 2000, 2000, 2000, 1000, 500, 250, 200, 200, 200]
    size.was_in_the_way()
    assert size.rows == 100


def test_a_batch_has_its_bounds() -> None:
    size = BatchSize(0.2)
    for _ in range(20):
        size.took(0.0)
    assert size.rows == MOST_ROWS
    for _ in range(20):
        size.was_in_the_way()
    assert size.rows == 1
    size.took(0.001)
    assert size.rows == 2


def test_the_rate_is_of_late() -> None:
    rate = Rate(0.0, 500)
    assert rate.at(0.0, 500) == 0.0
    assert rate.at(1.0, 1500) == 1000.0
    for second in range(2, 40):
        assert rate.at(float(second), 1500 + 100 * (second - 1)) < 1000.0
    assert rate.at(40.0, 1500 + 100 * 39) == pytest.approx(100.0)


def backfill(text: str) -> MigrationFile:
    migration = parse_name("0002_times.backfill.sql")
    assert migration
    return MigrationFile(migration, Path("0002_times.backfill.sql"), text, "")


def test_the_first_batch_has_the_first_key_in_it() -> None:
    file = backfill("UPDATE t SET a = ':after' WHERE t.id > :after AND :after < id AND id <= :upto;")
    assert first_batch(file, "1", "9") == "UPDATE t SET a = ':after' WHERE t.id >= 1 AND 1 <= id AND id <= 9"
    assert next_batch(file, "9", "12") == "UPDATE t SET a = ':after' WHERE t.id > 9 AND 9 < id AND id <= 12"


@pytest.mark.parametrize(
    "where",
    ["id >= :after", "doc -> :after", "id = :after", "(id) > (:after)", ":after <= id", "a @> :after"],
)
def test_what_the_first_batch_cannot_be_made_of(where: str) -> None:
    with pytest.raises(Refused, match="write KEY > :after"):
        first_batch(backfill(f"DELETE FROM t WHERE {where} AND id <= :upto"), "1", "9")  # noqa: S608


async def test_pauses_grow_until_patience_ends() -> None:
    hand, told = HandClock(), list[str]()

    async def attempt() -> None:
        raise GaveWay("a lock")

    persisting: Callable[[], Awaitable[None]] = lambda: persist(attempt, 30.0, hand.clock(), told.append)  # noqa: E731
    with pytest.raises(Refused, match="a lock; it was tried for 30 s"):
        await persisting()
    assert hand.slept == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 4.25]
    assert told[:2] == ["a lock; it is tried again", ""]
