"""One runner for each database: an advisory lock, which ends with the session that holds it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg

from bluegreen.migrations.connection import Connection
from bluegreen.migrations.errors import GaveWay, Refused, Unreachable
from bluegreen.migrations.patience import Clock, persist
from bluegreen.migrations.silence import answer_within

KEY = (0x626C7565, 0x67726565)  # "blue", "gree": no migrations but ours should use it
LET_GO_SECONDS = 5.0

_HOLDER = """
SELECT a.pid, coalesce(nullif(a.application_name, ''), 'no name'),
       to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ')
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
  AND l.classid = %s AND l.objid = %s AND l.database = (
      SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
"""

_IS_OURS = """
SELECT FROM pg_catalog.pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %s AND objid = %s
  AND pid = pg_catalog.pg_backend_pid()
"""


@asynccontextmanager
async def only_runner(
    connection: Connection, patience: float, clock: Clock, tell: Callable[[str], None]
) -> AsyncIterator[None]:
    """Keep other runners away from the database, for as long as the context is open.

    Who waits asks again and again rather than in a statement that waits: such a statement would itself be
    waited for by CREATE INDEX CONCURRENTLY. Raises Refused after `patience` seconds.
    """

    async def take() -> None:
        cursor = await connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s, %s)", KEY)
        row = await cursor.fetchone()
        if not (row and row[0]):
            raise GaveWay(await _holder(connection))

    await persist(take, patience, clock, tell)
    try:
        yield
    finally:
        if not connection.closed:
            await _let_go(connection)


async def be_sure_of(connection: Connection) -> None:
    """Raises Refused where the session does not have the lock any more."""
    cursor = await connection.execute(_IS_OURS, KEY)
    if await cursor.fetchone() is None:
        raise Refused(
            "The lock that keeps other runners away is lost: a file let it go, or there is a pooler in "
            "between that gives each transaction another session. Connect to the server itself"
        )


async def _let_go(connection: Connection) -> None:
    try:
        async with answer_within(LET_GO_SECONDS):
            await connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", KEY)
    except (psycopg.Error, Unreachable):
        await connection.close()  # which ends it as well


async def _holder(connection: Connection) -> str:
    cursor = await connection.execute(_HOLDER, KEY)
    row = await cursor.fetchone()
    if row is None:
        return "Another runner is just done with this database"
    pid, name, since = row
    return f"Another runner has this database: process {pid} ({name}) since {since}"
