"""What a version's files and a database's ledger come to. Pure.

1. A file that was applied, or begun, stays as it was: for ever.
2. A number has one name, on every branch.
3. In each phase numbers ascend: a later file has a higher number.
4. What is applied is in the directory. Where only the highest numbers are missing, it is an older version:
   it can live with an expanded database, but not with a contracted one.
5. What this control plane has seen applied, the database knows as well: or it was restored from a backup.
6. A file waits for those of the phases before its own, of its number and the lower ones.

1 to 5 are problems: of every phase. 6 is about a phase alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bluegreen.migrations.ledger_entries import LedgerEntries
from bluegreen.migrations.migration_file import MigrationFile, order
from bluegreen.model.migration import MigrationOrder, Phase

SHOWN_DIGITS = 12
"""Of a checksum."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`pending` are the files that are not applied, in order."""

    pending: tuple[MigrationFile, ...]
    problems: tuple[str, ...]

    def waits(self, phase: Phase) -> tuple[str, ...]:
        """Which files of earlier phases have to be applied before this one's."""
        highest = max((file.migration.number for file in of_phase(self.pending, phase)), default=0)
        return tuple(
            f"{file.migration} has to be applied first"
            for file in self.pending
            if file.migration.number <= highest and comes_before(file.migration.phase, phase)
        )


def of_phase(files: tuple[MigrationFile, ...], phase: Phase) -> tuple[MigrationFile, ...]:
    return tuple(file for file in files if file.migration.phase is phase)


def compare(files: tuple[MigrationFile, ...], entries: LedgerEntries, wanted: MigrationOrder) -> Comparison:
    """`files` are those of `wanted.version`'s directory."""
    applied = {each.migration for each in entries.applied}
    pending = tuple(file for file in files if file.migration not in applied)
    problems = [
        *_changed(files, entries),
        *_other_names(files, entries),
        *_out_of_order(pending, entries),
        *_missing(files, entries, wanted.version),
        *(() if wanted.accept_drift else _lost(entries, wanted)),
    ]
    return Comparison(pending, tuple(problems))


def comes_before(one: Phase, other: Phase) -> bool:
    phases = tuple(Phase)
    return phases.index(one) < phases.index(other)


def _changed(files: tuple[MigrationFile, ...], entries: LedgerEntries) -> Iterator[str]:
    applied = {each.migration: each for each in entries.applied}
    begun = {each.migration: each for each in entries.begun}
    for file in files:
        if (done := applied.get(file.migration)) and done.checksum != file.checksum:
            yield (
                f"{file.path.name} was changed after it was applied at {moment(done.applied_at)}: it has the "
                f"checksum {_short(file.checksum)}, in the ledger is {_short(done.checksum)}. "
                "Put back what it was; a change is a new file with the next number"
            )
        if (half := begun.get(file.migration)) and half.checksum != file.checksum:
            yield (
                f"{file.path.name} was changed after it was begun ({half.rows_done:,} rows are done): it has "
                f"the checksum {_short(file.checksum)}, begun was {_short(half.checksum)}. "
                "Put back what it was"
            )


def _other_names(files: tuple[MigrationFile, ...], entries: LedgerEntries) -> Iterator[str]:
    names = {file.migration.number: file.migration.name for file in files}
    for number, name in sorted({(each.migration.number, each.migration.name) for each in entries.applied}):
        if names.get(number, name) != name:
            yield (
                f"the number {number:04} is that of {name!r} in the database, and of {names[number]!r} in "
                "the directory: give the latter the next number"
            )


def _out_of_order(pending: tuple[MigrationFile, ...], entries: LedgerEntries) -> Iterator[str]:
    in_order = sorted(entries.applied, key=lambda each: order(each.migration))
    last_of_phase = {done.migration.phase: done for done in in_order}
    last_of_number = {done.migration.number: done for done in in_order}
    for mine in (file.migration for file in pending):
        later = last_of_phase.get(mine.phase)
        if later is None or later.migration.number <= mine.number:
            later = last_of_number.get(mine.number)
        if later is not None and order(later.migration) > order(mine):
            yield (
                f"{mine} comes before {later.migration}, which was applied at {moment(later.applied_at)} "
                "already: give it the next number"
            )


def _missing(files: tuple[MigrationFile, ...], entries: LedgerEntries, version: str) -> Iterator[str]:
    there = {file.migration for file in files}
    names = {file.migration.number: file.migration.name for file in files}
    highest = max(names, default=0)
    for done in entries.applied:
        mine = done.migration
        if mine in there or names.get(mine.number, mine.name) != mine.name:  # the latter: see _other_names
            continue
        at = moment(done.applied_at)
        if mine.number <= highest:
            yield f"{mine}.sql was applied at {at}, and is not in the directory of {version}: put it back"
        elif mine.phase is Phase.CONTRACT:
            yield (
                f"{version} does not know {mine.number:04}_{mine.name}, whose contract was applied at {at}: "
                "it cannot live with this database any more"
            )


def _lost(entries: LedgerEntries, wanted: MigrationOrder) -> Iterator[str]:
    there = {each.migration: each for each in entries.applied}
    for each in wanted.known:
        found = there.get(each.migration)
        if found is None:
            what = "which this database does not know"
        elif found.checksum != each.checksum:
            what = f"as {_short(each.checksum)}; this database has it as {_short(found.checksum)}"
        else:
            continue
        yield (
            f"{each.migration} was applied at {moment(each.applied_at)}, {what}: it was restored from a "
            "backup, or is another one. To go on from what it has: bluegreen migrations expand "
            f"{wanted.service} {wanted.version} --accept-drift --reason TEXT"
        )


def moment(at: float) -> str:
    """Seconds since the epoch, for a person."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _short(checksum: str) -> str:
    return checksum[:SHOWN_DIGITS]
