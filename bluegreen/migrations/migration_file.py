"""One file of a version's migrations, as it was read: `0002_split_name.expand.sql`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bluegreen.migrations.statements import Statement, split
from bluegreen.model.migration import MigrationName, Phase

MAXIMUM_SIZE = 1024 * 1024
"""Bytes of a file."""

_NAME = re.compile(r"([0-9]{4,9})_([a-z0-9][a-z0-9_-]{0,99})\.(expand|backfill|contract)\.sql", re.ASCII)
_PHASES = tuple(Phase)


@dataclass(frozen=True, slots=True)
class BackfillHeader:
    """`-- bluegreen: table=people key=id`: the table whose rows are gone through, by the order of this
    column. Both are as SQL writes them, `public.people` or `"People"`, and fit to be put into a statement.
    """

    table: str
    key: str


@dataclass(frozen=True)
class MigrationFile:
    """`checksum` is the SHA-256 of its bytes in hexadecimal digits. `backfill` is None for the other phases.
    `runs_alone`: it is one statement that PostgreSQL does not run in a transaction."""

    migration: MigrationName
    path: Path
    text: str
    checksum: str
    backfill: BackfillHeader | None = None
    runs_alone: bool = False

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        return split(self.text)


def parse_name(file_name: str) -> MigrationName | None:
    """None: not the name of a migration."""
    found = _NAME.fullmatch(file_name)
    if not found:
        return None
    migration = MigrationName(int(found[1]), found[2], Phase(found[3]))
    return migration if migration.number > 0 and f"{migration}.sql" == file_name else None


def order(migration: MigrationName) -> tuple[int, int]:
    """Sorts migrations: by number, and expand before backfill before contract."""
    return migration.number, _PHASES.index(migration.phase)
