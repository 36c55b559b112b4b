"""What can go wrong in a database: told clearly, and nothing half done."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.app.demo.ports import free_port
from bluegreen.app.demo.postgres import PostgresServer
from bluegreen.model.database import Database
from bluegreen.model.secret import Secret
from bluegreen.model.verdict import Verdict
from tests.migrations.conftest import Shop


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1;\nCREATE TABEL t ();", '2:8: syntax error at or near "TABEL" (SQLSTATE 42601)'),
        ("-- ä\nALTER TABLE people\n ADD FOREIGN KEY (nix) REFERENCES people;", '2: column "nix" referenced'),
        ("SELECT 1;\n\nSELECT 'ä', nix FROM people;", '3:13: column "nix" does not exist (SQLSTATE 42703)'),
        ("SELECT 1;\nALTER TABLE people\nADD CHECK (id < 2);\nINSERT INTO people VALUES (2);",
         '4: new row for relation "people" violates check constraint'),
        ("ALTER TABLE people ALTER times TYPE text;\nDO $$ BEGIN RAISE disk_full; END $$;",
         "2: the disk of the database is full: disk_full (SQLSTATE 53100)"),
        ("COPY people FROM STDIN;", "COPY cannot take data from a file"),
    ],
)  # fmt: skip
async def test_an_error_has_its_place_and_the_file_leaves_nothing(shop: Shop, text: str, said: str) -> None:
    await shop.apply("v1")
    await shop.ask("INSERT INTO people VALUES (1)")
    shop.write("v1", {"0002_more.expand": text})
    outcome = await shop.run("v1")
    assert outcome.verdict is Verdict.FAIL
    assert outcome.summary.startswith("0002_more.expand.sql:")
    assert said in outcome.summary
    assert [each.verdict for each in outcome.findings] == [Verdict.FAIL]
    plan = await shop.plan("v1")
    assert (len(plan.applied), len(plan.pending), plan.drift) == (1, 1, ())
    shop.write("v1", {"0002_more.expand": "ALTER TABLE people ADD COLUMN more text;"})
    await shop.apply("v1")


async def test_what_came_before_a_failure_is_kept(shop: Shop) -> None:
    shop.write("v1", {"0002_wrong.expand": "SELECT nix;"})
    outcome = await shop.run("v1")
    assert [each.verdict for each in outcome.findings] == [Verdict.PASS, Verdict.FAIL]
    assert outcome.ledger is not None
    assert [str(each.migration) for each in outcome.ledger] == ["0001_people.expand"]


async def test_a_deferred_constraint_fails_the_file(shop: Shop) -> None:
    await shop.apply("v1")
    shop.write("v1", {"0002_friends.expand": (
        "CREATE TABLE friends (id bigint REFERENCES people DEFERRABLE INITIALLY DEFERRED);"
        "INSERT INTO friends VALUES (7);"
    )})  # fmt: skip
    assert "violates foreign key constraint" in await shop.refused("v1")
    assert await shop.ask("SELECT to_regclass('friends')") == [None]


async def test_a_statement_that_takes_too_long(shop: Shop) -> None:
    shop.change(statement_timeout=0.2)
    shop.write("v1", {"0002_slow.expand": "CREATE TABLE slow ();\nSELECT pg_sleep(60);"})
    said = await shop.refused("v1")
    assert (
        "0002_slow.expand.sql:2: the statement was cancelled: canceling statement due to statement timeout"
        in said
    )
    assert await shop.ask("SELECT to_regclass('slow')") == [None]


async def test_a_statement_that_an_administrator_cancels(shop: Shop) -> None:
    shop.write("v1", {"0002_slow.expand": "SELECT pg_sleep(60);"})
    running = asyncio.ensure_future(shop.run("v1"))
    await shop.until(SLEEPS)
    await shop.ask("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    outcome = await running
    assert outcome.verdict is Verdict.FAIL
    assert "canceling statement due to user request (SQLSTATE 57014)" in outcome.summary


async def test_a_session_that_an_administrator_ends(shop: Shop) -> None:
    shop.write("v1", {"0002_slow.expand": "SELECT pg_sleep(60);"})
    running = asyncio.ensure_future(shop.run("v1"))
    await shop.until(SLEEPS)
    await shop.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    outcome = await running
    assert outcome.verdict is Verdict.ERROR
    assert "the connection to the database was lost: the database ended the session" in outcome.summary
    assert outcome.ledger is None


async def test_given_up_it_leaves_no_statement_running(shop: Shop) -> None:
    shop.write("v1", {"0002_slow.expand": "CREATE TABLE slow (); SELECT pg_sleep(60);"})
    running = asyncio.ensure_future(shop.run("v1"))
    await shop.until(SLEEPS)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await shop.until(f"SELECT NOT ({SLEEPS})")
    await shop.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name LIKE 'bluegreen %'")
    shop.write("v1", {"0002_slow.expand": "CREATE TABLE slow ();"})
    await shop.apply("v1")


SLEEPS = (
    "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
)


async def test_no_connection_and_no_password(shop: Shop) -> None:
    for url in (
        f"postgresql://ada:s3cret-word@127.0.0.1:{free_port()}/shop",
        f"host=127.0.0.1 port={free_port()} user=ada password=s3cret-word dbname=shop",
        "postgresql://ada:s3cret-word@127.0.0.1:port/shop",
        "postgresql://ada:s3cret-word@[::1/shop",
    ):
        shop.change(url=Secret(url))
        outcome = await shop.run("v1")
        assert outcome.verdict is Verdict.ERROR
        assert outcome.ledger is None
        plan = await shop.plan("v1")
        assert "database" in plan.problems[0]
        assert "s3cret" not in repr(outcome) + repr(plan)


async def test_where_it_cannot_be_reached_is_said(shop: Shop) -> None:
    port = free_port()
    shop.change(url=Secret(f"postgresql://ada@127.0.0.1:{port}/shop"))
    said = (await shop.run("v1")).summary
    assert said.startswith(f"The database 127.0.0.1:{port}/shop cannot be reached: ")
    assert "Connection refused" in said
    assert said.endswith(PLACE_TO_MEND)
    assert (await shop.plan("v1")).problems[0].endswith(PLACE_TO_MEND)


PLACE_TO_MEND = ". Where it is, and who enters how, stands in services.shop.database.url of the service file"


async def test_a_url_that_is_none(shop: Shop) -> None:
    shop.change(url=Secret("postgresql://ada:s3cret-word@[::1/shop"))
    said = (await shop.run("v1")).summary
    assert said == "services.shop.database.url of the service file is no connection string of libpq"


async def test_a_database_that_is_not_there(shop: Shop) -> None:
    shop.change(url=Secret(shop.url.replace("/test_", "/no_test_")))
    said = (await shop.run("v1")).summary
    assert "does not exist" in said
    assert said.endswith(PLACE_TO_MEND)


@pytest.fixture
async def asked_for_password(shop: Shop) -> AsyncIterator[Shop]:
    """The shop as a role that the server asks for a password."""
    name = "asked_for_password"
    await shop.ask(f"CREATE ROLE {name} LOGIN PASSWORD 'the right one'")
    (place,) = await shop.ask("SHOW hba_file")
    before = await asyncio.to_thread(Path(place).read_text)

    async def let_in(lines: str) -> None:
        await asyncio.to_thread(Path(place).write_text, lines)
        (loaded,) = await shop.ask("SELECT pg_conf_load_time()::text FROM pg_reload_conf()")
        await shop.until(f"SELECT pg_conf_load_time() > '{loaded}'")

    await let_in(f"local all {name} scram-sha-256\nhost all {name} all scram-sha-256\n{before}")
    yield Shop(
        shop.root,
        replace(shop.database, url=Secret(shop.url.replace("postgres@", f"{name}:s3cret-word@"))),
        shop.migrator,
    )
    await let_in(before)
    await shop.ask(f"DROP ROLE {name}")


async def test_a_wrong_password(asked_for_password: Shop) -> None:
    outcome = await asked_for_password.run("v1")
    assert outcome.verdict is Verdict.ERROR
    assert 'password authentication failed for user "asked_for_password"' in outcome.summary
    assert outcome.summary.endswith(PLACE_TO_MEND)
    assert "s3cret" not in repr(outcome)


class TestRights:
    @pytest.fixture
    async def app(self, shop: Shop) -> AsyncIterator[Shop]:
        """The shop as a role that may do nothing yet."""
        await shop.ask("CREATE ROLE app LOGIN")
        self.owner = Shop(shop.root, shop.database, shop.migrator)
        shop.change(url=Secret(shop.url.replace("postgres@", "app@")))
        yield shop
        await self.owner.ask("DROP OWNED BY app CASCADE")
        await self.owner.ask("DROP ROLE app")

    async def test_to_make_the_ledger(self, app: Shop) -> None:
        said = await app.refused("v1")
        assert "The role app may not make the ledger, the schema bluegreen" in said
        statement = said[said.index("GRANT") :]
        await self.owner.ask(statement)
        await self.owner.ask("GRANT CREATE ON SCHEMA public TO app")
        await app.apply("v1")

    async def test_of_a_schema_that_an_administrator_made(self, app: Shop) -> None:
        await self.owner.ask("CREATE SCHEMA bluegreen AUTHORIZATION app")
        await self.owner.ask("GRANT CREATE ON SCHEMA public TO app")
        await app.apply("v1")

    async def test_to_change_a_table(self, app: Shop) -> None:
        await self.owner.ask("CREATE SCHEMA bluegreen AUTHORIZATION app")
        await self.owner.ask("CREATE TABLE people (id bigint PRIMARY KEY)")
        app.write("v1", {"0001_people.expand": "ALTER TABLE people ADD COLUMN more text;"})
        said = await app.refused("v1")
        assert "0001_people.expand.sql:1: the role lacks a right: must be owner of table people" in said


async def test_a_database_that_takes_no_changes(shop: Shop) -> None:
    (name,) = await shop.ask("SELECT current_database()")
    await shop.ask(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert "the database takes no changes" in await shop.refused("v1")


@pytest.fixture
def disk(postgres: PostgresServer) -> Iterator[Path]:
    """A file system of a megabyte."""
    path = postgres.directory / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a file system")
    shutil.chown(path, postgres.directory.owner())
    yield path
    subprocess.run(["umount", path], check=True)


async def test_a_full_disk(shop: Shop, disk: Path) -> None:
    await shop.ask(f"CREATE TABLESPACE tiny LOCATION '{disk}'")
    try:
        shop.write("v1", {"0002_big.expand": (
            "CREATE TABLE big (text text) TABLESPACE tiny;\n"
            "INSERT INTO big SELECT repeat(md5(n::text), 100) FROM generate_series(1, 10000) n;"
        )})  # fmt: skip
        said = await shop.refused("v1")
        assert "0002_big.expand.sql:2: the disk of the database is full: could not extend file" in said
        assert await shop.ask("SELECT to_regclass('big')") == [None]
    finally:
        await shop.ask("DROP TABLESPACE tiny")


def test_the_url_keeps_its_secret() -> None:
    database = Database(Secret("postgresql://ada:s3cret-word@db/shop"), "")
    assert "s3cret" not in repr(replace(database, lock_timeout=2.0))


async def test_it_says_who_it_is(shop: Shop) -> None:
    shop.write("v1", {"0001_people.expand": "SELECT pg_sleep(60);"})
    running = asyncio.ensure_future(shop.run("v1"))
    await shop.until(SLEEPS)
    names = await shop.ask("SELECT application_name FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    assert names == ["bluegreen shop v1 expand"]
    running.cancel()
    await asyncio.wait((running,))
