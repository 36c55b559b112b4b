"""What files and a ledger come to."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest

from bluegreen.migrations.errors import Refused
from bluegreen.migrations.ledger_entries import BegunBackfill, LedgerEntries
from bluegreen.migrations.migration_file import MigrationFile, order, parse_name
from bluegreen.migrations.plan import Comparison, compare
from bluegreen.migrations.version_directory import version_directory
from bluegreen.model.database import Database
from bluegreen.model.migration import AppliedMigration, MigrationName, MigrationOrder, Phase
from bluegreen.model.secret import Secret
from tests.migrations.conftest import Shop

AT = 1_795_465_381.0  # 2026-11-23 20:23:01 UTC


def name(text: str) -> MigrationName:
    found = parse_name(f"{text}.sql")
    assert found
    return found


def files(*names: str, checksum: str = "a" * 64) -> tuple[MigrationFile, ...]:
    made = [MigrationFile(name(text), Path(f"v2/{text}.sql"), "SELECT 1", checksum) for text in names]
    return tuple(sorted(made, key=lambda file: order(file.migration)))


def applied(*names: str, checksum: str = "a" * 64) -> tuple[AppliedMigration, ...]:
    return tuple(AppliedMigration(name(text), checksum, "v1", "ada", AT, 1.0) for text in names)


def compared(
    there: tuple[MigrationFile, ...],
    done: tuple[AppliedMigration, ...],
    known: tuple[AppliedMigration, ...] = (),
    *,
    accept_drift: bool = False,
) -> Comparison:
    wanted = MigrationOrder("shop", "v2", Phase.EXPAND, Database(Secret(""), ""), "ada", known, accept_drift)
    return compare(there, LedgerEntries(done), wanted)


ALL = ("0001_a.expand", "0002_b.expand", "0002_b.backfill", "0002_b.contract")


def test_what_is_not_applied_is_pending() -> None:
    comparison = compared(files(*ALL), applied("0001_a.expand"))
    assert [str(file.migration) for file in comparison.pending] == list(ALL[1:])
    assert comparison.problems == ()


@pytest.mark.parametrize(
    ("done", "phase", "waits"),
    [
        ((), Phase.EXPAND, ()),
        (ALL[:1], Phase.BACKFILL, ("0002_b.expand has to be applied first",)),
        (ALL[:2], Phase.BACKFILL, ()),
        (ALL[:2], Phase.CONTRACT, ("0002_b.backfill has to be applied first",)),
        (ALL[:3], Phase.CONTRACT, ()),
        (ALL, Phase.CONTRACT, ()),
    ],
)  # fmt: skip
def test_a_phase_waits_for_the_ones_before(
    done: tuple[str, ...], phase: Phase, waits: tuple[str, ...]
) -> None:
    assert compared(files(*ALL), applied(*done)).waits(phase) == waits


def test_a_phase_does_not_wait_for_higher_numbers() -> None:
    assert compared(files(*ALL, "0003_c.expand"), applied(*ALL[:3])).waits(Phase.CONTRACT) == ()


def test_a_file_that_was_changed() -> None:
    (problem,) = compared(files("0001_a.expand", checksum="b" * 64), applied("0001_a.expand")).problems
    assert problem.startswith(
        "0001_a.expand.sql was changed after it was applied at 2026-11-23 20:23:01 UTC: it has the "
        "checksum bbbbbbbbbbbb, in the ledger is aaaaaaaaaaaa. Put back"
    )


def test_a_backfill_that_was_changed_in_its_midst() -> None:
    begun = BegunBackfill(name("0002_b.backfill"), "c" * 64, "7", 7000, 9000)
    wanted = MigrationOrder("shop", "v2", Phase.BACKFILL, Database(Secret(""), ""), "ada")
    entries = LedgerEntries(applied(*ALL[:2]), (begun,))
    (problem,) = compare(files(*ALL), entries, wanted).problems
    assert "was changed after it was begun (7,000 rows are done)" in problem


@pytest.mark.parametrize("missing", ALL)
def test_a_file_that_is_missing_among_others(missing: str) -> None:
    there = (*(each for each in ALL if each != missing), "0003_c.expand")
    (problem,) = compared(files(*there), applied(*ALL)).problems
    assert problem == (
        f"{missing}.sql was applied at 2026-11-23 20:23:01 UTC, and is not in the directory of v2: "
        "put it back"
    )


def test_an_older_version_lives_with_what_was_added() -> None:
    assert compared(files("0001_a.expand"), applied(*ALL[:3])).problems == ()
    assert compared((), applied(*ALL[:3])).problems == ()


def test_an_older_version_cannot_live_without_what_was_taken_away() -> None:
    assert compared(files("0001_a.expand"), applied(*ALL)).problems == (
        "v2 does not know 0002_b, whose contract was applied at 2026-11-23 20:23:01 UTC: it cannot live with "
        "this database any more",
    )


def test_a_number_that_two_branches_took() -> None:
    comparison = compared(files("0001_a.expand", "0002_other.expand"), applied(*ALL[:2]))
    assert any(
        "the number 0002 is that of 'b' in the database, and of 'other'" in each
        for each in comparison.problems
    )


def test_numbers_ascend() -> None:
    (problem,) = compared(files(*ALL), applied("0002_b.expand")).problems
    assert problem.startswith("0001_a.expand comes before 0002_b.expand, which was applied at 2026-11-23")


def test_phases_ascend() -> None:
    (problem,) = compared(files("0001_a.expand", "0001_a.backfill"), applied("0001_a.backfill")).problems
    assert problem.startswith("0001_a.expand comes before 0001_a.backfill")


def test_a_large_directory_and_a_large_ledger_are_soon_compared() -> None:
    done = applied(*(f"{number:04}_a.expand" for number in range(1, 10_001)))
    there = files(*(f"{number:04}_b.contract" for number in range(10_001, 20_001)))
    began = process_time()
    assert len(compared(there, done).pending) == 10_000
    assert process_time() - began < 2  # by the square it would be ten times that


def test_a_database_that_has_lost_its_ledger() -> None:
    there, known = files(*ALL), applied(*ALL[:2])
    problems = compared(there, applied(ALL[0]), known).problems
    assert len(problems) == 1
    assert problems[0].startswith(
        "0002_b.expand was applied at 2026-11-23 20:23:01 UTC, which this database does not know: it was"
    )
    assert compared(there, applied(ALL[0]), known, accept_drift=True).problems == ()
    assert compared(there, known, applied(ALL[0])).problems == ()


def test_a_database_with_another_content() -> None:
    there, known = files(ALL[0]), applied(ALL[0], checksum="d" * 64)
    (problem,) = compared(there, applied(ALL[0]), known).problems
    assert "as dddddddddddd; this database has it as aaaaaaaaaaaa" in problem


async def test_a_restored_database_is_recognized(two_versions: Shop) -> None:
    known = (await two_versions.apply("v2")).ledger
    assert known
    await two_versions.ask("DROP TABLE people")
    await two_versions.ask("DROP SCHEMA bluegreen CASCADE")
    refused = await two_versions.refused("v2", known=known)
    assert "it was restored from a backup" in refused
    assert "migrations expand shop v2 --accept-drift --reason TEXT" in refused
    assert len((await two_versions.plan("v2", known=known)).problems) == 2
    await two_versions.apply("v2", known=known, accept_drift=True)


async def test_a_changed_file_stops_every_phase(two_versions: Shop) -> None:
    await two_versions.apply("v2")
    two_versions.write("v2", {"0002_split_name.expand": "SELECT 1"})
    for phase in Phase:
        assert "0002_split_name.expand.sql was changed after it was applied" in await two_versions.refused(
            "v2", phase
        )


async def test_the_old_version_after_the_contract(two_versions: Shop) -> None:
    await two_versions.apply("v2")
    await two_versions.apply("v1")
    await two_versions.apply("v2", Phase.BACKFILL)
    await two_versions.apply("v2", Phase.CONTRACT)
    assert "v1 does not know 0002_split_name, whose contract was applied" in await two_versions.refused("v1")


@pytest.mark.parametrize(
    ("template", "version", "path"),
    [
        ("releases/{version}/migrations", "1.2.3", "releases/1.2.3/migrations"),
        ("/srv/{service}-v{version}", "..", "/srv/shop-v.."),
        ("../{version}", "{service}", "../{service}"),
    ],
)
def test_the_directory_of_a_version(template: str, version: str, path: str) -> None:
    assert version_directory(template, "shop", version) == Path(path)


@pytest.mark.parametrize("version", ["", ".", "..", "../v1", "a/b", "/etc", "a\\b", "a\0b", "a\nb"])
def test_a_version_leads_nowhere_else(version: str) -> None:
    with pytest.raises(Refused, match="names no directory of migrations"):
        version_directory("releases/{version}/migrations", "shop", version)


def test_nor_together_with_what_stands_beside_it() -> None:
    with pytest.raises(Refused, match="names no directory of migrations"):
        version_directory("releases/.{version}", "shop", ".")


async def test_a_ledger_that_is_not_whole_is_not_taken_for_none(shop: Shop) -> None:
    await shop.apply("v1")
    await shop.ask("DROP TABLE bluegreen.backfills")
    said = "The ledger of this database is not whole: there is no table backfills in its schema bluegreen"
    assert (await shop.refused("v1")).startswith(said)
    assert (await shop.plan("v1")).problems[0].startswith(said)
