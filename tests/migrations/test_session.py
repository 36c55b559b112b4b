"""What one file, or a setting of the database, makes of a session does not decide how the next is read."""

from __future__ import annotations

from psycopg import sql

from bluegreen.migrations.postgres_migrator import PostgresMigrator
from bluegreen.model.migration import Phase
from tests.migrations.conftest import Shop


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
