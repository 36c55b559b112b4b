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
    # Settled when the file is made: pages that pruning frees can then be given back bit by bit.
    "PRAGMA auto_vacuum = INCREMENTAL",
    "PRAGMA journal_mode = WAL",
    # A commit is on the disk before it is acknowledged; NORMAL could lose the last ones with the power.
    "PRAGMA synchronous = FULL",
    f"PRAGMA journal_size_limit = {WAL_LIMIT}",
)


@asynccontextmanager
async def connect(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    """A connection on which transactions begin and end only where we say so. It changes nothing yet."""
    async with aiosqlite.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT) as db:
        db.row_factory = sqlite3.Row
        yield db


async def configure(db: aiosqlite.Connection) -> None:
    """Settle how the file is written."""
    for setting in _SETTINGS:
        await db.execute_fetchall(setting)
