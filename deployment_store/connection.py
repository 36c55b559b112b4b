"""How a connection to the database is set up."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

BUSY_TIMEOUT = 5.0
"""Seconds to wait for another program, such as an operator's sqlite3 shell, to give up its lock."""

WAL_LIMIT = 4 * 1024 * 1024
"""Bytes that the write-ahead log keeps on disk once its content is in the database."""

_SETTINGS = (
    # Settled when the file is made: a commit gives the pages that it frees back to the file system. Only
    # pruning frees many.
    "PRAGMA auto_vacuum = FULL",
    "PRAGMA journal_mode = WAL",
    # A commit is on the disk before it is acknowledged; NORMAL could lose the last ones with the power.
    "PRAGMA synchronous = FULL",
    f"PRAGMA journal_size_limit = {WAL_LIMIT}",
)


@asynccontextmanager
async def connect(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    """A connection on which transactions begin and end only where we say so. It changes nothing yet.

    Raises sqlite3.OperationalError where the file cannot be opened.
    """
    # That it can be opened is found out here: aiosqlite does not wait for its thread when it cannot, and the
    # thread may then speak to a loop that is closed.
    sqlite3.connect(path).close()
    async with aiosqlite.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT) as db:
        db.row_factory = sqlite3.Row
        yield db


async def configure(db: aiosqlite.Connection) -> None:
    """Settle how the file is written."""
    for setting in _SETTINGS:
        await db.execute_fetchall(setting)
