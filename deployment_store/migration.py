"""From any older schema to the present one, a step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import aiosqlite

from bluegreen.model.errors import Refused

APPLICATION_ID = 0x626C6772
"""Marks a SQLite file as ours ("blgr"), so that the tables never land in another program's database."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step. `version` is the schema version that it leads to."""

    version: int
    sql: str


def read_migrations() -> tuple[Migration, ...]:
    """The steps that the package carries, in their order."""
    files = (
        each for each in resources.files("deployment_store.schema").iterdir() if each.name.endswith(".sql")
    )
    steps = (Migration(int(each.name.split("_")[0]), each.read_text(encoding="utf-8")) for each in files)
    return tuple(sorted(steps, key=lambda step: step.version))


async def check_origin(db: aiosqlite.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Raise Refused, the file being as it was, where it belongs to another program or a newer bluegreen."""
    version, newest = await _pragma(db, "user_version"), migrations[-1].version
    if await _pragma(db, "application_id") != APPLICATION_ID and not await _is_empty(db):
        raise Refused(f"{path} is a database of another program.", "Name another database file.")
    if version > newest:
        raise Refused(
            f"{path} was written by a newer bluegreen (schema {version}; this one knows {newest}).",
            "Start that newer version, or name another database file.",
        )


async def migrate(db: aiosqlite.Connection, migrations: Sequence[Migration]) -> None:
    """Take the steps that the file lacks, each whole or not at all.

    Foreign keys must be off meanwhile, so that a step can rebuild a table
    (https://sqlite.org/lang_altertable.html); they are checked before each commit.
    """
    version = await _pragma(db, "user_version")
    for step in migrations:
        if step.version > version:
            await _take(db, step)


async def _take(db: aiosqlite.Connection, step: Migration) -> None:
    try:
        await db.executescript(f"BEGIN IMMEDIATE;\n{step.sql}\nPRAGMA user_version = {step.version};")
        if await db.execute_fetchall("PRAGMA foreign_key_check"):
            raise Refused(f"The step to schema {step.version} would leave rows whose parent is missing.")
        await db.commit()
    finally:
        await db.rollback()  # does nothing after a commit


async def _pragma(db: aiosqlite.Connection, name: str) -> int:
    (row,) = await db.execute_fetchall(f"PRAGMA {name}")
    return int(row[0])


async def _is_empty(db: aiosqlite.Connection) -> bool:
    return not await db.execute_fetchall("SELECT 1 FROM sqlite_schema LIMIT 1")
