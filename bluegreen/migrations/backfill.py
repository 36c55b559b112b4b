"""A backfill: one statement, again and again, over one range of keys after the other.

How far it is stands in the ledger, written in each batch's transaction: it goes on exactly there, whatever
ended it. Rows that are added meanwhile are the new version's, or the trigger's of expand: with higher keys
they are gone through as well, with lower ones they are not.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import psycopg

from bluegreen.migrations.backfill_batch import BatchSize, first_batch, next_batch
from bluegreen.migrations.backfill_key import BackfillKey, find_key
from bluegreen.migrations.connection import set_up
from bluegreen.migrations.errors import GaveWay, Refused, StatementFailed
from bluegreen.migrations.ledger import begin_backfill, finish_backfill, keep_backfill
from bluegreen.migrations.ledger_entries import BegunBackfill
from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.migrations.sending import send_batch
from bluegreen.migrations.session import Session
from bluegreen.model.migration import MigrationProgress

RATE_SECONDS = 10.0
"""Over which the rate is taken."""


class Rate:
    """Rows in a second, pauses included, of late."""

    def __init__(self, now: float, rows: int) -> None:
        self._seen = deque([(now, rows)])

    def at(self, now: float, rows: int) -> float:
        self._seen.append((now, rows))
        while len(self._seen) > 2 and now - self._seen[1][0] >= RATE_SECONDS:
            self._seen.popleft()
        began, before = self._seen[0]
        return (rows - before) / (now - began) if now > began else 0.0


@dataclass(slots=True)
class Backfill:
    """One that is under way."""

    session: Session
    file: MigrationFile
    key: BackfillKey
    state: BegunBackfill
    size: BatchSize
    rate: Rate

    async def run(self) -> None:
        """To the end. Raises Stopped; what is done stays done."""
        clock, database = self.session.clock, self.session.database
        self._tell()
        while True:
            rows, seconds = await self.session.persist(self.file.path.name, self._attempt)
            if rows == 0:
                return
            await clock.sleep(seconds * (100 - database.backfill_load) / database.backfill_load)
            self._tell()  # after the rest: it belongs to the batch, and the rate counts both

    async def _attempt(self) -> tuple[int, float]:
        """Rows and seconds."""
        began, size = self.session.clock.now(), self.size.rows
        try:
            rows = await self._batch(size)
        except (psycopg.Error, StatementFailed) as error:  # it may be made again
            self.size.was_in_the_way()
            if size > self.size.rows and self._took_too_long(began, error):
                raise GaveWay(f"{self.file.path.name}: a batch of {size:,} rows took too long") from error
            raise
        seconds = self._seconds_since(began)
        if rows == size:
            self.size.took(seconds)
        return rows, seconds

    def _took_too_long(self, began: float, error: psycopg.Error | StatementFailed) -> bool:
        """And was not cancelled by somebody else."""
        cancelled = error.error if isinstance(error, StatementFailed) else error
        timeout = self.session.database.statement_timeout
        return isinstance(cancelled, psycopg.errors.QueryCanceled) and self._seconds_since(began) >= timeout

    def _seconds_since(self, began: float) -> float:
        return self.session.clock.now() - began

    async def _batch(self, size: int) -> int:
        """The rows that it went through; 0: there are none left."""
        work, last_key = self.session.work, self.state.last_key
        async with work.transaction():
            upto = await self.key.last_of(work, last_key, size)
            if upto is None:
                return 0
            last, rows = upto
            await send_batch(work, self.file, await self._statement(last))
            state = replace(self.state, last_key=last, rows_done=self.state.rows_done + rows)
            await keep_backfill(work, self.session.order.service, state)
        self.state = state
        return rows

    async def _statement(self, last: str) -> str:
        upto = self.key.literal(last)
        if self.state.last_key is not None:
            return next_batch(self.file, self.key.literal(self.state.last_key), upto)
        first = await self.key.first(self.session.work)
        return first_batch(self.file, self.key.literal(last if first is None else first), upto)

    def _tell(self) -> None:
        done = self.state.rows_done
        rate = self.rate.at(self.session.clock.now(), done)
        total = max(self.state.rows_total, done)
        self.session.tell(MigrationProgress(self.file.path.name, done, total, rate))


async def run_backfill(session: Session, file: MigrationFile, begun: BegunBackfill | None) -> int:
    """Run it to its end, and enter it; the rows that were gone through. Raises Stopped."""
    if file.backfill is None:
        raise Refused(f"{file.path.name} does not say whose rows it goes through")
    header = file.backfill

    async def begin() -> tuple[BackfillKey, BegunBackfill]:
        await set_up(session.work, session.database)
        key = await find_key(session.work, file, header)
        if begun is not None:
            return key, begun
        fresh = BegunBackfill(file.migration, file.checksum, None, 0, await key.rows(session.work))
        await begin_backfill(session.work, session.order.service, fresh)
        return key, fresh

    key, state = await session.persist(file.path.name, begin)
    rate = Rate(session.clock.now(), state.rows_done)
    backfill = Backfill(session, file, key, state, BatchSize(session.database.batch_time), rate)
    await backfill.run()
    await finish_backfill(session.work, session.order.service, session.entry(file, 0.0))
    return backfill.state.rows_done
