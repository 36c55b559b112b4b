"""Changes of a database that both versions of a service can live with, and who makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bluegreen.model.database import Database
from bluegreen.model.verdict import Finding, Verdict


class Phase(StrEnum):
    """In the order in which a release goes through them."""

    EXPAND = "expand"  # adds what the new version needs, before it is deployed; the old one does not notice
    BACKFILL = "backfill"  # fills in what was added, in batches, while both versions run
    CONTRACT = "contract"  # takes away what only the old version needed, after that is retired


@dataclass(frozen=True, slots=True)
class MigrationName:
    """One file: the change of the schema that it belongs to, numbered from 1 for ever, and its part of it."""

    number: int
    name: str
    phase: Phase

    def __str__(self) -> str:
        return f"{self.number:04}_{self.name}.{self.phase}"


@dataclass(frozen=True, slots=True)
class AppliedMigration:
    """An entry of the ledger. `checksum` is the SHA-256 of the file in hexadecimal digits; `applied_at` is
    in seconds since the epoch; `seconds` is how long it took, of a backfill from first to last batch."""

    migration: MigrationName
    checksum: str
    version: str  # of the service, in whose directory it stood
    author: str
    applied_at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class LintFinding:
    """What a file of migrations does that it must not do (`refused`), or had better not. `line` and `column`
    count from 1; `safe_way` says what to do instead, empty where nothing better is known."""

    file: str
    line: int
    column: int
    rule: str
    reason: str
    safe_way: str = ""
    refused: bool = True


@dataclass(frozen=True, slots=True)
class PlannedMigration:
    """A file that is not applied yet. `statements` are in short, each in one line."""

    migration: MigrationName
    file: str
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """What a version's directory and the database come to. `problems` make every phase impossible (a file
    that was changed after it was applied, one that is missing, ...), `findings` those phases that they are
    about, `drift` is what was done to the schema by other hands."""

    applied: tuple[AppliedMigration, ...]
    pending: tuple[PlannedMigration, ...]
    problems: tuple[str, ...] = ()
    findings: tuple[LintFinding, ...] = ()
    drift: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MigrationOrder:
    """One phase of one version, wanted. `known` is the ledger as this control plane has it: what of it the
    database does not have was lost there. `author` stands in the ledger."""

    service: str
    version: str
    phase: Phase
    database: Database
    author: str
    known: tuple[AppliedMigration, ...] = ()
    accept_drift: bool = False


@dataclass(frozen=True, slots=True)
class MigrationProgress:
    """How far a phase is. `rows_total` is an estimate; -1: not known. `note` is what it waits for, empty
    where it goes on."""

    file: str = ""
    rows_done: int = 0
    rows_total: int = -1
    rows_per_second: float = 0.0
    note: str = ""

    @property
    def seconds_left(self) -> float | None:
        """None: not to be told."""
        if self.rows_total < 0 or self.rows_per_second <= 0:
            return None
        return max(0.0, (self.rows_total - self.rows_done) / self.rows_per_second)


@dataclass(frozen=True, slots=True)
class MigrationOutcome:
    """What a phase came to. PASS: all of its files are applied, or there were none. FAIL: it was refused, or
    the database refused it. ERROR: the database could not be asked. What was applied before a failure is in
    `ledger`, which is all that the database has of this service; None where it could not be read.

    `summary` is a sentence without its full stop; `findings` are one for each file that was run, or for each
    reason not to. `backfills_left` and `contracts_left` are the files of this version that are still to come.
    """

    verdict: Verdict
    summary: str
    findings: tuple[Finding, ...] = ()
    ledger: tuple[AppliedMigration, ...] | None = None
    backfills_left: tuple[MigrationName, ...] = ()
    contracts_left: tuple[MigrationName, ...] = ()


class Migrator(Protocol):
    """Who reads the directories and changes the databases.

    Neither call raises for what may go wrong outside; cancelled, a call leaves no statement running, and
    whatever it has done is either whole and in the ledger, or not done.
    """

    async def plan(self, order: MigrationOrder) -> MigrationPlan:
        """Look, and change nothing. `order.phase` is of no account."""
        ...

    async def run(self, order: MigrationOrder, tell: Callable[[MigrationProgress], None]) -> MigrationOutcome:
        """Apply the files of a phase that are not applied yet, in their order; may be repeated at any time.
        `tell` is called on the event loop whenever there is news."""
        ...
