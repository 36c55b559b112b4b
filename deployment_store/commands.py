"""Commands that were taken up, by the keys that their senders gave them."""

from __future__ import annotations

import sqlite3

import aiosqlite
from pydantic import TypeAdapter

from bluegreen.model.command import TakenCommand
from bluegreen.model.errors import Conflict
from deployment_store.records import Row, insertion

_COMMAND = TypeAdapter(TakenCommand)


async def record(db: aiosqlite.Connection, command: TakenCommand) -> None:
    """Raises Conflict where the key was used meanwhile."""
    row: Row = _COMMAND.dump_python(command)
    try:
        await db.execute(insertion("commands", row), row)
    except sqlite3.IntegrityError as error:
        raise Conflict(
            "The same command was sent twice at once; the other one was taken up. Look at its status."
        ) from error


async def read(db: aiosqlite.Connection, key: str) -> TakenCommand | None:
    for row in await db.execute_fetchall("SELECT * FROM commands WHERE key = ?", (key,)):
        return _COMMAND.validate_python(dict(row))
    return None


async def prune(db: aiosqlite.Connection, before: float) -> None:
    """Forget the commands from before this moment: nobody repeats them any more."""
    await db.execute("DELETE FROM commands WHERE at < ?", (before,))
