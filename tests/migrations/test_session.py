"""What one file, or a setting of the database, makes of a session does not decide how the next is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from psycopg import sql

from bluegreen.migrations.postgres_migrator import PostgresMigrator
from bluegreen.model.migration import Phase
from bluegreen.model.secret import Secret
from tests.migrations.conftest import PEOPLE, SECONDS, Shop

ONCE_MORE = """\
-- bluegreen: table=people key=id
UPDATE people SET times = times + 1 WHERE id > :after AND id <= :upto
"""


async def test_a_temporary_table_ends_with_its_file(shop: Shop) -> None:
    await shop.apply("v1")
    shop.write(
        "v1",
        {
            "0002_copy.expand": "CREATE TEMP TABLE people (id bigint);",
            "0003_more.expand": "ALTER TABLE people ADD COLUMN more text;",
        },
    )
    await shop.apply("v1")
    of = await shop.ask("SELECT table_schema FROM information_schema.columns WHERE column_name = 'more'")
    assert of == ["public"]


async def test_a_string_ends_for_the_server_where_it_ends_for_the_lint(shop: Shop) -> None:
    await shop.apply("v1")
    (database,) = await shop.ask("SELECT current_database()")
    async with shop.session() as connection:
        setting = sql.SQL("ALTER DATABASE {} SET standard_conforming_strings = off")
        await connection.execute(setting.format(sql.Identifier(database)))
    shop.write("v1", {"0002_words.expand": r"COMMENT ON TABLE people IS '\''; DROP TABLE people; --';"})
    async with PostgresMigrator.open() as migrator:
        await migrator.run(shop.order("v1", Phase.EXPAND), lambda progress: None)
    assert await shop.ask("SELECT count(*) FROM pg_class WHERE relname = 'people'") == [1]


@pytest.fixture
async def deployer(shop: Shop) -> AsyncIterator[Shop]:
    """A shop whose database belongs to an owner, whose part a login takes that may not do more."""
    (database,) = await shop.ask("SELECT current_database()")
    owner, login = f"owner_of_{database}", f"deployer_of_{database}"
    superuser = shop.url
    for statement in (
        f"CREATE ROLE {owner}",
        f"CREATE ROLE {login} LOGIN IN ROLE {owner}",
        f"ALTER ROLE {login} SET role = {owner}",
        f"ALTER DATABASE {database} OWNER TO {owner}",
        f"ALTER SCHEMA public OWNER TO {owner}",
    ):
        await shop.ask(statement)
    shop.change(url=Secret(shop.url.replace("postgres@", f"{login}@")))
    yield shop
    shop.change(url=Secret(superuser))
    for statement in (
        f"ALTER DATABASE {database} OWNER TO postgres",
        "ALTER SCHEMA public OWNER TO postgres",
        f"REASSIGN OWNED BY {owner} TO postgres",
        f"DROP OWNED BY {owner}",
        f"DROP ROLE {owner}, {login}",
    ):
        await shop.ask(statement)


async def test_a_login_that_takes_on_a_role_lets_others_pass_as_well(deployer: Shop) -> None:
    shop = deployer
    await shop.apply("v1")
    shop.change(patience=0.1)
    shop.write("v1", {"0002_more.expand": "ALTER TABLE people ADD COLUMN more text; SELECT pg_sleep(20);"})
    running = asyncio.ensure_future(shop.run("v1"))
    await shop.until(
        "SELECT count(*) > 0 FROM pg_locks"
        " WHERE relation = 'people'::regclass AND mode = 'AccessExclusiveLock'"
    )
    reading = asyncio.ensure_future(shop.ask("SELECT count(*) FROM people"))
    assert "others waited for its locks" in (await running).summary
    assert await reading == [0]
    assert await shop.ask("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'bluegreen'") == [
        f"owner_of_{(await shop.ask('SELECT current_database()'))[0]}"
    ]


async def test_rows_that_the_role_may_not_see_are_not_passed_over(deployer: Shop) -> None:
    shop = deployer
    hidden = (
        "INSERT INTO people SELECT 1; ALTER TABLE people ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
    )
    shop.write("v1", {"0001_people.expand": PEOPLE + hidden, "0001_people.backfill": ONCE_MORE})
    await shop.apply("v1")
    said = await shop.refused("v1", Phase.BACKFILL)
    assert "query would be affected by row-level security policy" in said


@pytest.mark.parametrize(
    ("setting", "value"),
    [("transaction_timeout", "300ms"), ("default_transaction_isolation", "serializable")],
)
async def test_what_the_database_sets_for_an_application_is_not_for_migrations(
    shop: Shop, setting: str, value: str
) -> None:
    if await shop.ask("SELECT current_setting(%s, true)", setting) == [None]:
        pytest.skip(f"this PostgreSQL does not know {setting}")
    (database,) = await shop.ask("SELECT current_database()")
    await shop.ask(f"ALTER DATABASE {database} SET {setting} = '{value}'")
    shop.write("v1", {"0002_keep.expand": (
        f"CREATE TABLE kept AS SELECT current_setting('{setting}') AS value; SELECT pg_sleep(0.5)"
    )})  # fmt: skip
    await shop.apply("v1")
    assert await shop.ask("SELECT value <> %s FROM kept", value) == [True]


async def test_a_key_loses_nothing_when_it_is_kept(shop: Shop) -> None:
    """Keys that differ in digits which the database does not show."""
    (database,) = await shop.ask("SELECT current_database()")
    await shop.ask(f"ALTER DATABASE {database} SET extra_float_digits = -15")
    shop.write("v1", {
        "0001_people.expand": (
            "CREATE TABLE people (id float8 PRIMARY KEY, times int NOT NULL DEFAULT 0);"
            "INSERT INTO people SELECT 1 + n / 1e9 FROM generate_series(1, 1200) AS n"
        ),
        "0001_people.backfill": ONCE_MORE,
    })  # fmt: skip
    await shop.apply("v1")
    await asyncio.wait_for(shop.apply("v1", Phase.BACKFILL), SECONDS)
    assert await shop.ask("SELECT times, count(*) FROM people GROUP BY 1") == [(1, 1200)]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "EUC_JP"])
async def test_a_database_need_not_be_in_utf_8(shop: Shop, encoding: str) -> None:
    (database,) = await shop.ask("SELECT current_database()")
    other = f"{database}_in_{encoding.lower()}"
    await shop.ask(f"CREATE DATABASE {other} ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'")
    utf_8, shop.database = (
        shop.database,
        replace(shop.database, url=Secret(shop.url.replace(f"/{database}?", f"/{other}?"))),
    )
    shop.write("v1", {"0002_size.expand": 'ALTER TABLE people ADD COLUMN "größe" int;'})
    await shop.apply("v1")
    assert (await shop.plan("v1")).drift == ()
    shop.write("v1", {"0003_wrong.expand": "SELECT 'ü', wrong FROM people"})
    assert 'column "wrong" does not exist' in await shop.refused("v1")
    shop.database = utf_8
    await shop.ask(f"DROP DATABASE {other} WITH (FORCE)")
