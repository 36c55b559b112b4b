"""Who waits for whom, seen from a second session while the first one works."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg

from bluegreen.migrations.connection import Connection
from bluegreen.migrations.errors import Unreachable, said

LOOKS = 10
"""So often within `lock_timeout`."""
SHORTEST_PAUSE = 0.02
"""Seconds between two looks."""
LAST_LOOK = 5.0
"""Seconds that a look may take when the work is done."""
PATIENCE_OF_OTHERS = 0.6
"""Part of `lock_timeout` that others may wait for us: the rest is for noticing, and for rolling back."""

# Who is behind us in a lock's queue waits for us as well, by pg_blocking_pids.
_LOOK = """
SELECT (SELECT string_agg(format('process %%s (%%s%%s, %%s since %%s)', a.pid,
                                 coalesce(nullif(a.application_name, ''), 'no name'),
                                 coalesce(' of ' || a.usename, ''), coalesce(a.state, 'busy'),
                                 to_char(a.xact_start, 'HH24:MI:SS TZ')), ', ')
        FROM pg_catalog.pg_stat_activity a WHERE a.pid = ANY(pg_catalog.pg_blocking_pids(%(pid)s))),
       (SELECT p.phase || CASE WHEN p.blocks_total > 0
                               THEN format(' (%%s %%%%)', 100 * p.blocks_done / p.blocks_total) ELSE '' END
        FROM pg_catalog.pg_stat_progress_create_index p WHERE p.pid = %(pid)s),
       (SELECT max(extract(epoch FROM pg_catalog.clock_timestamp() - l.waitstart))::float8
        FROM (SELECT pid, waitstart FROM pg_catalog.pg_locks WHERE NOT granted AND pid <> %(pid)s OFFSET 0) l
        WHERE %(pid)s = ANY(pg_catalog.pg_blocking_pids(l.pid)))
"""


class LockWatch:
    """What was seen of one session's attempt: who was in its way at last, and whether it was cancelled for
    others' sake (never without `gives_way`)."""

    def __init__(self, eyes: Connection, pid: int, lock_timeout: float, *, gives_way: bool) -> None:
        self._eyes = eyes
        self._pid = pid
        self._lock_timeout = lock_timeout
        self._others_patience = lock_timeout * PATIENCE_OF_OTHERS if gives_way else math.inf
        self.blockers = ""
        self.gave_way = False

    @asynccontextmanager
    async def watching(self, note: Callable[[str], None]) -> AsyncIterator[None]:
        """Look on for as long as the context is open; `note` is told who is in the way, or how far an index
        is, "" when there is no such news any more. As soon as others have waited too long, what the session
        does is cancelled.

        Raises Unreachable when it cannot look.
        """
        enough = asyncio.Event()
        task = asyncio.ensure_future(self._look_on(note, enough))
        try:
            yield
        finally:
            enough.set()
            await asyncio.wait((task,), timeout=LAST_LOOK)
            task.cancel()
            await asyncio.wait((task,))
        if not task.cancelled() and (error := task.exception()):
            raise error

    async def _look_on(self, note: Callable[[str], None], enough: asyncio.Event) -> None:
        pause = max(SHORTEST_PAUSE, self._lock_timeout / LOOKS)
        told = ""
        try:
            while not await _within(pause, enough):
                blockers, doing, waited = await self._look()
                self.blockers = blockers or self.blockers
                news = f"It waits for {blockers}" if blockers else doing
                if news != told:
                    told = news
                    note(told)
                if waited > self._others_patience:
                    self.gave_way = True
                    await self._eyes.execute("SELECT pg_catalog.pg_cancel_backend(%s)", (self._pid,))
            if told:
                note("")
        except psycopg.Error as error:
            raise Unreachable(f"The locks of the database cannot be seen: {said(error)}") from error

    async def _look(self) -> tuple[str, str, float]:
        cursor = await self._eyes.execute(_LOOK, {"pid": self._pid})
        row = await cursor.fetchone()
        return (row[0] or "", row[1] or "", row[2] or 0.0) if row else ("", "", 0.0)


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Whether it is set within so long."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
