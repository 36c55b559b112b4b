"""Statements that cannot run in a transaction, above all indexes."""

from __future__ import annotations

import asyncio

import pytest

from bluegreen.migrations.index_statement import (
    IndexBuild,
    IndexDrop,
    IndexStatement,
    Reindex,
    index_statement,
)
from bluegreen.migrations.statements import split
from bluegreen.model.migration import Phase
from bluegreen.model.verdict import Verdict
from tests.migrations.conftest import SECONDS, Shop

BY_NAME = "CREATE INDEX CONCURRENTLY people_by_name ON people (name, lower(name) DESC) WHERE times > 0;"
UNIQUE = "CREATE UNIQUE INDEX CONCURRENTLY people_by_name ON people (name, lower(name));"
INVALID = "SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE NOT x.indisvalid"
VALID = INVALID.replace("NOT ", "") + " AND i.relname LIKE 'people_by%' ORDER BY 1"


@pytest.fixture
async def built(shop: Shop) -> Shop:
    """Its table is there, with two people of one name; the next file builds an index."""
    await shop.apply("v1")
    await shop.ask("INSERT INTO people (id) VALUES (1), (2)")
    shop.write("v1", {"0002_by_name.expand": BY_NAME})
    return shop


async def test_an_index_is_built_beside_the_reads_and_writes(built: Shop) -> None:
    await built.apply("v1")
    assert await built.ask(VALID) == ["people_by_name"]
    assert (await built.plan("v1")).drift == ()


async def test_an_index_that_failed_leaves_nothing(built: Shop) -> None:
    built.write(
        "v1",
        {"0002_by_name.expand": UNIQUE},
    )
    said = await built.refused("v1")
    assert "0002_by_name.expand.sql:1: could not create unique index" in said
    assert "Key (name, lower(name))=(Ada Lovelace, ada lovelace) is duplicated" in said
    assert await built.ask(INVALID) == []
    assert (await built.plan("v1")).drift == ()
    await built.ask("DELETE FROM people WHERE id = 2")
    await built.apply("v1")
    assert await built.ask(INVALID) == []
    assert await built.ask(VALID) == ["people_by_name"]


async def test_what_a_failure_has_left_is_dropped_and_built_again(built: Shop) -> None:
    await built.ask(BY_NAME)
    (oid,) = await built.ask("SELECT 'people_by_name'::regclass::oid")
    await built.ask("UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s", oid)
    assert (await built.plan("v1")).drift == ()
    await built.apply("v1")
    assert await built.ask(VALID) == ["people_by_name"]
    assert await built.ask("SELECT 'people_by_name'::regclass::oid") != [oid]


async def test_an_index_that_is_there_already_is_taken_for_done(built: Shop) -> None:
    """As after a kill between its end and its entry in the ledger; written differently, it is the same."""
    await built.ask(
        'CREATE INDEX people_by_name ON public."people" USING btree (name ASC, lower(name) DESC)'
        " WHERE (times > 0)"
    )
    (oid,) = await built.ask("SELECT 'people_by_name'::regclass::oid")
    await built.apply("v1")
    assert await built.ask("SELECT 'people_by_name'::regclass::oid") == [oid]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            "CREATE INDEX people_by_name ON people (name)",
            "and it is another one: CREATE INDEX people_by_name",
        ),
        (
            "CREATE UNIQUE INDEX people_by_name ON people (id, lower(name) DESC) WHERE times > 0",
            "another one",
        ),
        ("CREATE TABLE t (name text); CREATE INDEX people_by_name ON t (name)", "already, of another table"),
    ],
)
async def test_another_index_of_that_name_is_left_alone(built: Shop, other: str, said: str) -> None:
    await built.ask(other)
    assert said in await built.refused("v1", accept_drift=True)


async def test_an_index_without_a_name_is_not_found_again(built: Shop) -> None:
    built.write("v1", {"0002_by_name.expand": "CREATE INDEX CONCURRENTLY ON people (name)"})
    assert "give the index a name" in await built.refused("v1")


async def test_an_index_waits_for_older_transactions_and_nobody_for_it(built: Shop) -> None:
    """Longer than `lock_timeout`: what waits here is in nobody's way, and would have to begin anew."""
    async with built.session() as other, other.transaction():
        await other.execute("UPDATE people SET times = 7")
        running = asyncio.ensure_future(built.run("v1"))
        await built.until_told("It waits for process")
        await built.ask("SELECT pg_sleep(%s)", 2 * built.database.lock_timeout)
        assert not running.done()
        await built.ask("INSERT INTO people (id) VALUES (3)")
    async with asyncio.timeout(SECONDS):
        assert (await running).verdict is Verdict.PASS
    assert not any("tried again" in note for note in built.notes())


async def test_how_far_an_index_is_is_told(built: Shop) -> None:
    await built.ask("CREATE FUNCTION slow(bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS"
                    " $$ BEGIN PERFORM pg_sleep(0.1); RETURN $1; END $$")  # fmt: skip
    await built.ask("INSERT INTO people (id) SELECT generate_series(3, 10)")
    built.write(
        "v1", {"0002_by_name.expand": "CREATE INDEX CONCURRENTLY people_by_slow ON people (slow(id));"}
    )
    await built.apply("v1", accept_drift=True)
    assert any(note.startswith("building index") for note in built.notes()), built.notes()
    assert built.progress[-1].note == ""


async def test_an_index_is_dropped_once(built: Shop) -> None:
    built.write("v1", {"0002_by_name.contract": "DROP INDEX CONCURRENTLY people_by_name"})
    await built.apply("v1")
    await built.ask("INSERT INTO bluegreen.attempts VALUES ('shop', 2, 'contract', '')")  # killed after it
    await built.ask("DROP INDEX people_by_name")
    await built.apply("v1", Phase.CONTRACT)
    assert (await built.plan("v1")).pending == ()


async def test_an_index_that_never_was_is_not_dropped(built: Shop) -> None:
    built.write("v1", {"0003_typo.contract": "DROP INDEX CONCURRENTLY people_by_nam"})
    await built.apply("v1")
    assert '0003_typo.contract.sql:1: index "people_by_nam" does not exist' in await built.refused(
        "v1", Phase.CONTRACT
    )


async def test_leftovers_of_a_reindex_are_dropped(built: Shop) -> None:
    await built.apply("v1")
    built.write("v1", {"0003_anew.expand": "REINDEX INDEX CONCURRENTLY people_by_name"})
    await built.ask("CREATE UNIQUE INDEX people_by_name_ccnew ON people (id)")
    await built.ask(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'people_by_name_ccnew'::regclass"
    )
    await built.ask("INSERT INTO bluegreen.attempts VALUES ('shop', 3, 'expand', '')")
    assert (await built.plan("v1")).drift == ()
    await built.apply("v1")
    assert await built.ask(INVALID) == []
    assert await built.ask("SELECT to_regclass('people_by_name_ccnew')") == [None]


async def test_all_that_a_reindex_has_left_is_dropped(built: Shop) -> None:
    """Also of the table's TOAST, which nobody would look for."""
    left = "SELECT count(*) FROM pg_class WHERE relname LIKE '%ccnew'"
    await built.apply("v1")
    built.write("v1", {"0003_anew.expand": "REINDEX TABLE CONCURRENTLY people"})
    async with built.session() as other, other.transaction():
        await other.execute("UPDATE people SET times = 7")
        running = asyncio.ensure_future(built.run("v1"))
        await built.until(left.replace("count(*)", "count(*) = 3"))
        running.cancel()
        await asyncio.wait((running,))
    assert await built.ask(left) == [3]
    await built.apply("v1")
    assert await built.ask(left) == [0]


async def test_what_somebody_else_builds_anew_is_left_alone(built: Shop) -> None:
    await built.ask("CREATE TABLE orders (id bigint); CREATE INDEX orders_id ON orders (id)")
    await built.apply("v1", accept_drift=True)
    built.write("v1", {"0003_anew.expand": "REINDEX INDEX CONCURRENTLY people_by_name"})
    await built.ask("INSERT INTO bluegreen.attempts VALUES ('shop', 3, 'expand', '')")
    async with built.session() as other, built.session() as administrator:
        async with other.transaction():
            await other.execute("INSERT INTO orders VALUES (1)")
            building = asyncio.ensure_future(administrator.execute("REINDEX TABLE CONCURRENTLY orders"))
            await built.until("SELECT to_regclass('orders_id_ccnew') IS NOT NULL")
            await asyncio.wait_for(built.apply("v1"), SECONDS)
        await building
    assert await built.ask(INVALID) == []


async def test_other_statements_run_alone_as_well(built: Shop) -> None:
    built.write("v1", {"0003_vacuum.expand": "VACUUM (ANALYZE) people;"})
    await built.apply("v1")


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        (BY_NAME, IndexBuild("people_by_name", "people", False, " (name, lower(name) DESC) WHERE times > 0")),
        (
            'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "By Name" ON ONLY shop . "People"(name)',
            IndexBuild("By Name", 'shop . "People"', True, "(name)"),
        ),
        ("create index concurrently ON people (name)", IndexBuild("", "people", False, " (name)")),
        ("DROP INDEX CONCURRENTLY IF EXISTS shop.By_Name CASCADE", IndexDrop("by_name", "shop")),
        ("DROP INDEX CONCURRENTLY by_name", IndexDrop("by_name", "")),
        ("REINDEX (VERBOSE) TABLE CONCURRENTLY people", Reindex()),
        ("CREATE INDEX CONCURRENTLY", None),
        ("VACUUM people", None),
    ],
)
def test_statements_taken_apart(text: str, statement: IndexStatement | None) -> None:
    assert index_statement(split(text)[0]) == statement


async def test_who_ended_the_session_amid_an_index_is_told(built: Shop) -> None:
    async with built.session() as other, other.transaction():
        await other.execute("UPDATE people SET times = 7")
        running = asyncio.ensure_future(built.run("v1"))
        await built.until_told("It waits for process")
        await built.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        outcome = await running
    assert outcome.verdict is Verdict.ERROR
    lost = (
        "0002_by_name.expand.sql:1: the connection to the database was lost: the database ended the session"
    )
    assert outcome.summary.startswith(lost)
