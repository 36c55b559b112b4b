"""What a phase is run with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import psycopg

from bluegreen.migrations.connection import Connection, connect, process_of
from bluegreen.migrations.errors import (
    GaveWay,
    Refused,
    StatementFailed,
    Unreachable,
    ends_connection,
    gives_way,
    said,
)
from bluegreen.migrations.lock_watch import LockWatch
from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.migrations.patience import Clock, persist
from bluegreen.migrations.runner_lock import be_sure_of, only_runner
from bluegreen.migrations.silence import as_long_as_it_answers
from bluegreen.model.database import Database
from bluegreen.model.migration import AppliedMigration, MigrationOrder, MigrationProgress

T = TypeVar("T")

NOTICES = 100
"""That are kept of one file."""


@dataclass(frozen=True, slots=True)
class Session:
    """The order, one connection that works, one that looks on, and whoever is told."""

    order: MigrationOrder
    work: Connection
    eyes: Connection
    clock: Clock
    tell: Callable[[MigrationProgress], None]
    process: int  # of the server, that works for us
    notices: list[str] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, order: MigrationOrder, clock: Clock, tell: Callable[[MigrationProgress], None]
    ) -> AsyncIterator[Session]:
        """Both connections, with the database for ourselves. Raises Stopped."""

        def wait(note: str) -> None:
            tell(MigrationProgress(note=note))

        async with (
            connect(order, order.phase) as work,
            connect(order, f"{order.phase} (looks on)") as eyes,
            as_long_as_it_answers(eyes),
            only_runner(work, order.database.patience, clock, wait),
        ):
            # A role that the login takes on by itself may neither see nor cancel what the login does.
            await eyes.execute("SET ROLE NONE")
            session = cls(order, work, eyes, clock, tell, await process_of(work))
            work.add_notice_handler(session._keep)
            yield session

    @property
    def database(self) -> Database:
        return self.order.database

    def entry(self, file: MigrationFile, seconds: float) -> AppliedMigration:
        """For the ledger, in which the database's clock says when."""
        order = self.order
        return AppliedMigration(file.migration, file.checksum, order.version, order.author, 0.0, seconds)

    async def be_sure_to_be_alone(self) -> None:
        """Raises Refused where other runners are not kept away any more."""
        await be_sure_of(self.work)

    async def persist(self, name: str, body: Callable[[], Awaitable[T]], *, blocks_nobody: bool = False) -> T:
        """What `body` returns, which is called again as long as others are in its way, or it in theirs;
        `blocks_nobody`: it is not. `name` is the file's, or says what else it is about.

        Raises Stopped, with the place in the file.
        """

        def note(text: str) -> None:
            self.tell(MigrationProgress(name, note=text))

        async def attempt() -> T:
            return await self._attempt(name, body, note, blocks_nobody)

        return await persist(attempt, self.database.patience, self.clock, note)

    async def _attempt(
        self, name: str, body: Callable[[], Awaitable[T]], note: Callable[[str], None], blocks_nobody: bool
    ) -> T:
        watch = LockWatch(
            self.eyes,
            self.process,
            self.database.lock_timeout,
            gives_way=not blocks_nobody,
        )

        try:
            async with watch.watching(note):
                return await body()
        except StatementFailed as failed:
            raise self._reason(failed.error, failed.place, watch) from failed
        except psycopg.Error as error:
            raise self._reason(error, name, watch) from error

    def _reason(self, error: psycopg.Error, place: str, watch: LockWatch) -> Exception:
        if others := gives_way(error):
            return GaveWay(f"{place}: {others}" + (f": {watch.blockers}" if watch.blockers else ""))
        if watch.gave_way and isinstance(error, psycopg.errors.QueryCanceled):
            return GaveWay(f"{place}: others waited for its locks, and it let them pass before lock_timeout")
        if ends_connection(error):
            return Unreachable(f"{place}: the connection to the database was lost: {said(error)}")
        return Refused(f"{place}: {said(error)}")

    def _keep(self, notice: psycopg.errors.Diagnostic) -> None:
        if len(self.notices) < NOTICES:
            self.notices.append(f"{notice.severity}: {notice.message_primary}")
