"""What a ledger says."""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.migrations.drift import Objects
from bluegreen.model.migration import AppliedMigration, MigrationName


@dataclass(frozen=True, slots=True)
class BegunBackfill:
    """`last_key` is None before the first batch; `rows_total` an estimate."""

    migration: MigrationName
    checksum: str
    last_key: str | None
    rows_done: int
    rows_total: int


@dataclass(frozen=True, slots=True)
class LedgerEntries:
    """All that is known of one service; the backfills are those that are not done."""

    applied: tuple[AppliedMigration, ...] = ()
    begun: tuple[BegunBackfill, ...] = ()
    schema: Objects | None = None  # None: it was never looked at
