"""A change of the schema from expand to contract, in a real database."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from bluegreen.migrations.postgres_migrator import PostgresMigrator
from bluegreen.model.migration import MigrationName, Phase
from bluegreen.model.verdict import Verdict
from tests.migrations.conftest import Shop

EXPAND = MigrationName(2, "split_name", Phase.EXPAND)
BACKFILL = MigrationName(2, "split_name", Phase.BACKFILL)
CONTRACT = MigrationName(2, "split_name", Phase.CONTRACT)


async def test_a_change_goes_through_its_phases(two_versions: Shop) -> None:
    shop = two_versions
    await shop.apply("v1")
    await shop.ask("INSERT INTO people (id) SELECT generate_series(1, 1000)")

    expanded = await shop.apply("v2")
    assert expanded.summary.startswith("1 file of expand applied in")
    assert expanded.backfills_left == (BACKFILL,)
    assert expanded.contracts_left == (CONTRACT,)
    assert await shop.ask("SELECT count(*) FROM people WHERE first IS NULL") == [1000]

    filled = await shop.apply("v2", Phase.BACKFILL)
    assert filled.findings[0].summary == "went through 1,000 rows"
    assert filled.backfills_left == ()
    assert await shop.ask("SELECT DISTINCT first, last, times FROM people") == [("Ada", "Lovelace", 1)]

    contracted = await shop.apply("v2", Phase.CONTRACT)
    assert contracted.contracts_left == ()
    assert contracted.ledger is not None
    assert [each.migration for each in contracted.ledger][1:] == [EXPAND, BACKFILL, CONTRACT]
    assert await shop.ask(
        "SELECT count(*) FROM pg_attribute WHERE attname = 'name' AND attrelid = 'people'::regclass"
    ) == [0]


async def test_the_ledger_has_who_when_what_and_how_long(shop: Shop) -> None:
    await shop.apply("v1")
    rows = await shop.ask(
        "SELECT service, number, name, phase, version, author, checksum,"
        " applied_at > now() - interval '1 minute', seconds BETWEEN 0.0001 AND 60 FROM bluegreen.migrations"
    )
    checksum = hashlib.sha256((shop.root / "v1" / "0001_people.expand.sql").read_bytes()).hexdigest()
    assert rows == [("shop", 1, "people", "expand", "v1", "ada", checksum, True, True)]


async def test_a_phase_may_be_asked_for_again(shop: Shop) -> None:
    first = await shop.apply("v1")
    again = await shop.apply("v1")
    assert again.summary == "Nothing was left to do for expand"
    assert again.findings == ()
    assert again.ledger == first.ledger


async def test_a_phase_waits_for_those_before(two_versions: Shop) -> None:
    assert await two_versions.refused("v2", Phase.BACKFILL) == (
        "0001_people.expand has to be applied first (and 1 more)"
    )
    await two_versions.apply("v2")
    assert (
        await two_versions.refused("v2", Phase.CONTRACT) == "0002_split_name.backfill has to be applied first"
    )


async def test_a_plan_looks_and_changes_nothing(two_versions: Shop) -> None:
    plan = await two_versions.plan("v2")
    assert [str(each.migration) for each in plan.pending] == [
        "0001_people.expand",
        "0002_split_name.expand",
        "0002_split_name.backfill",
        "0002_split_name.contract",
    ]
    assert plan.pending[3].statements == ("ALTER TABLE people DROP COLUMN name",)
    assert (plan.applied, plan.problems, plan.drift) == ((), (), ())
    assert await two_versions.ask("SELECT count(*) FROM pg_namespace WHERE nspname = 'bluegreen'") == [0]

    await two_versions.apply("v2")
    plan = await two_versions.plan("v2")
    assert [str(each.migration) for each in plan.applied] == ["0001_people.expand", "0002_split_name.expand"]
    assert len(plan.pending) == 2


async def test_two_services_share_a_database(two_versions: Shop) -> None:
    await two_versions.apply("v1")
    other = MigrationName(1, "orders", Phase.EXPAND)
    two_versions.write("orders", {"0001_orders.expand": "CREATE TABLE orders (id bigint PRIMARY KEY);"})
    order = two_versions.order("orders", Phase.EXPAND)
    outcome = await two_versions.migrator.run(replace(order, service="orders"), lambda progress: None)
    assert outcome.verdict is Verdict.PASS
    assert outcome.ledger is not None
    assert [each.migration for each in outcome.ledger] == [other]
    assert (await two_versions.plan("v2")).drift == ()


async def test_what_a_file_sets_or_becomes_ends_with_it(shop: Shop) -> None:
    shop.write(
        "v1",
        {
            "0002_away.expand": (
                "CREATE SCHEMA away; CREATE ROLE nobody_much; SET search_path = away; SET lock_timeout = 0;"
                " GRANT USAGE, CREATE ON SCHEMA away TO nobody_much; SET ROLE nobody_much;"
                " CREATE TABLE things ();"
            ),
            "0003_here.expand": (
                "DO $$ BEGIN ASSERT current_setting('lock_timeout') = '400ms'; END $$; CREATE TABLE here ();"
            ),
        },
    )
    try:
        await shop.apply("v1")
        assert await shop.ask(
            "SELECT to_regclass('public.here') IS NOT NULL, to_regclass('away.things') IS NOT NULL"
        ) == [(True, True)]
    finally:
        await shop.ask("DROP OWNED BY nobody_much CASCADE")
        await shop.ask("DROP ROLE nobody_much")


async def test_notices_are_kept(shop: Shop) -> None:
    shop.write("v1", {"0001_people.expand": "DO $$ BEGIN RAISE NOTICE 'rows: %', 3; END $$;"})
    outcome = await shop.apply("v1")
    assert outcome.findings[0].output == "NOTICE: rows: 3"


async def test_lint_comes_first(two_versions: Shop) -> None:
    """With the real linter: nothing is applied, the findings have the place and the safe way."""
    async with PostgresMigrator.open() as migrator:
        two_versions.migrator = migrator
        await two_versions.apply("v2")
        two_versions.write("v2", {"0003_rename.expand": "ALTER TABLE people RENAME COLUMN name TO label;"})
        outcome = await two_versions.run("v2")
        assert outcome.verdict is Verdict.FAIL
        assert "0003_rename.expand.sql:1: " in outcome.summary
        assert {each.name for each in outcome.findings} == {"lint"}
        plan = await two_versions.plan("v2")
        assert any(each.refused and each.file.endswith("0003_rename.expand.sql") for each in plan.findings)
    assert (await two_versions.ask("SELECT count(*) FROM bluegreen.migrations")) == [2]


async def test_files_that_cannot_be_used_are_all_told(shop: Shop) -> None:
    shop.write("v1", {"0001_other.expand": "SELECT 1;", "nonsense": "SELECT 1;"})
    outcome = await shop.run("v1")
    assert outcome.verdict is Verdict.FAIL
    assert len(outcome.findings) == 2
    assert outcome.ledger is None
    assert len((await shop.plan("v1")).problems) == 2


async def test_what_the_lint_says_of_the_others_is_told_with_them(two_versions: Shop) -> None:
    """All in one go: only of this phase, and not of what is known to be applied."""
    async with PostgresMigrator.open() as migrator:
        two_versions.migrator = migrator
        known = (await two_versions.apply("v1")).ledger
        assert known is not None
        two_versions.write(
            "v2",
            {
                "0003_drop.expand": "DROP TABLE people;\nALTER TABLE people RENAME TO persons;",
                "0003_drop.contract": "ALTER TABLE people RENAME TO persons;",
                "0004_open.expand": "SELECT 'not closed;",
                "0005_commit.expand": "COMMIT;",
                "nonsense": "SELECT 1;",
            },
        )
        outcome = await two_versions.run("v2", known=known)
    assert outcome.verdict is Verdict.FAIL
    assert outcome.summary.endswith(" (and 4 more)")
    assert outcome.ledger is None
    assert [(each.name, each.summary.partition(": ")[0]) for each in outcome.findings] == [
        ("files", "0004_open.expand.sql:1"),
        ("files", "0005_commit.expand.sql:1"),
        ("files", "nonsense.sql:1"),
        ("lint", "0003_drop.expand.sql:1"),
        ("lint", "0003_drop.expand.sql:2"),
    ]


async def test_no_directory(shop: Shop) -> None:
    setting = "services.shop.database.migrations of the service file"
    assert f"cannot be read: No such file or directory; {setting} says" in await shop.refused("v9")
    assert "names no directory" in await shop.refused("../v1")
