"""What other hands did to the schema."""

from __future__ import annotations

import pytest

from bluegreen.migrations.drift import drift
from bluegreen.model.migration import Phase
from tests.migrations.conftest import Shop

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'Ada', age int CHECK (age > 0));
CREATE INDEX people_age ON people (age);
CREATE VIEW adults AS SELECT name FROM people WHERE age > 17;
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER filling BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION fill();
"""


@pytest.fixture
async def moody(shop: Shop) -> Shop:
    shop.write("v1", {"0001_people.expand": SCHEMA, "0002_more.expand": "CREATE TABLE more (id bigint);"})
    shop.write("v0", {"0001_people.expand": SCHEMA})
    await shop.apply("v0")
    return shop


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER TABLE people ADD COLUMN size int", ["column public.people.size was added (integer)"]),
        ("ALTER TABLE people DROP COLUMN name CASCADE", [
            "column public.people.name was dropped",
            "view public.adults was dropped",
        ]),
        ("DROP VIEW adults; ALTER TABLE people ALTER age TYPE bigint", [
            "column public.people.age is bigint now, was integer",
            "view public.adults was dropped",
        ]),
        ("ALTER TABLE people ALTER name DROP NOT NULL",
         ["column public.people.name is text DEFAULT 'Ada'::text now, was text NOT NULL DEFAULT 'Ada"]),
        ("ALTER TABLE people ALTER name SET DEFAULT 'Bob'",
         ["column public.people.name is text NOT NULL DEFAULT 'Bob'::text now, was text "]),
        ("DROP INDEX people_age", ["index public.people.people_age was dropped"]),
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'people_age'::regclass",
         ["index public.people.people_age is CREATE INDEX people_age ON public.people USING btree (age) (i"]),
        ("ALTER TABLE people DROP CONSTRAINT people_age_check",
         ["constraint public.people.people_age_check was dropped"]),
        ("ALTER TABLE people DISABLE TRIGGER filling", ["trigger public.people.filling is "]),
        ("CREATE OR REPLACE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN old; END'",
         ["function public.fill() is a body of MD5 "]),
        ("ALTER TYPE mood ADD VALUE 'so-so' BEFORE 'glad'",
         ["type public.mood is one of 'sad', 'so-so', 'glad' now, was one of 'sad', 'glad'"]),
        ("CREATE SCHEMA own CREATE TABLE things (id bigint PRIMARY KEY)",
         ["table own.things was added (table)"]),
        ("DROP TABLE people CASCADE", ["table public.people was dropped", "view public.adults was dropped"]),
        ("CREATE OR REPLACE VIEW adults AS SELECT name FROM people WHERE age > 20",
         ["view public.adults is a query of MD5 "]),
        ("CREATE TEMPORARY TABLE mine (id int)", []),
    ],
)  # fmt: skip
async def test_a_change_by_hand_is_told_and_refused(moody: Shop, change: str, told: list[str]) -> None:
    await moody.ask(change)
    found = (await moody.plan("v1")).drift
    assert len(found) == len(told)
    assert all(one.startswith(start) for one, start in zip(found, told, strict=True)), found
    if told:
        assert found[0] in await moody.refused("v1")
        assert await moody.ask("SELECT to_regclass('more')") == [None]
        await moody.apply("v1", accept_drift=True)
    assert (await moody.plan("v1")).drift == ()


async def test_partitions_come_and_go(shop: Shop) -> None:
    shop.write("v1", {"0001_people.expand": "CREATE TABLE days (day date) PARTITION BY RANGE (day)"})
    await shop.apply("v1")
    await shop.ask("CREATE TABLE today PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-01-02')")
    assert (await shop.plan("v1")).drift == ()


async def test_drift_is_told_where_nothing_is_left_to_do(moody: Shop) -> None:
    await moody.ask("DROP INDEX people_age")
    refused = await moody.refused("v0")
    assert "people_age was dropped" in refused
    accept = "bluegreen migrations expand shop v0 --accept-drift --reason TEXT"
    assert refused.endswith(f". Undo that, or take the schema as it is: {accept}")
    contract = await moody.refused("v0", Phase.CONTRACT)
    assert contract.endswith("bluegreen migrations contract shop --accept-drift --reason TEXT")
    await moody.apply("v0", accept_drift=True)
    await moody.apply("v0", Phase.CONTRACT)


async def test_what_was_there_before_the_first_run_is_no_drift(shop: Shop) -> None:
    await shop.ask("CREATE TABLE old (id bigint)")
    await shop.apply("v1")
    await shop.apply("v1")


def test_what_goes_with_its_table_is_not_told() -> None:
    table = {"table a.b": "table", "column a.b.c": "int", "index a.b.d": "..."}
    assert drift(table, {}) == ("table a.b was dropped",)
    assert drift({}, table) == ("table a.b was added (table)",)
    assert drift(table, {**table, "index a.b.d": "invalid"}, {"d"}) == ()
    assert drift(table, {"table a.b": "table", "column a.b.c": "int"}, {"d"}) == ()
