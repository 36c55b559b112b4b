"""The store in one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Self

import aiosqlite

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.check import Check
from bluegreen.model.command import TakenCommand
from bluegreen.model.deployment import Deployment
from bluegreen.model.errors import InvalidInput
from bluegreen.model.event import Event, Origin
from bluegreen.model.gateway import Gateway
from bluegreen.model.known_proxy import KnownProxy
from bluegreen.model.migration_run import MigrationRun
from bluegreen.model.rollout import Rollout
from bluegreen.model.store import CatalogueChange
from deployment_store import commands, fleet, history, ledger
from deployment_store.aggregates import read_aggregate, read_aggregates, write_aggregate
from deployment_store.catalogue import read_gateways, write_catalogue
from deployment_store.connection import configure, connect
from deployment_store.file_lock import hold
from deployment_store.migration import check_origin, migrate, read_migrations
from deployment_store.same_file import SameFile
from deployment_store.session import Begin, Session
from deployment_store.watching import Watches


class SqliteStore:
    """`bluegreen.model.store.Store`; what its methods promise stands there. Open it with `open`.

    Where the file cannot be read or written (disk full, locked by another program) they raise NotServing.
    """

    def __init__(self, writer: Session, reader: Session, is_there: SameFile) -> None:
        self._writer = writer
        self._reader = reader
        self._is_there = is_there
        self._watches = Watches()

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[Self]:
        """The store in the file `path`, which is made where there is none and brought up to date where it
        is older.

        Raises Refused where another process has it open, or a newer bluegreen or another program has
        written it; InvalidInput where it is no database or cannot be opened.
        """
        # One file has one lock, by whatever link it is called.
        path = path.resolve()
        async with AsyncExitStack() as stack:
            stack.enter_context(hold(path))
            try:
                writer = await stack.enter_async_context(connect(path))
                await check_origin(writer, path, read_migrations())
                await configure(writer)
                await migrate(writer, read_migrations())
                await writer.execute("PRAGMA foreign_keys = ON")
                reader = await stack.enter_async_context(connect(path))
                await reader.execute("PRAGMA query_only = ON")
            except sqlite3.DatabaseError as error:
                raise InvalidInput(f"The database {path} cannot be opened: {error}.") from error
            is_there = SameFile(path)
            store = cls(
                Session(writer, Begin.WRITE, is_there), Session(reader, Begin.READ, is_there), is_there
            )
            stack.callback(store._watches.end)
            yield store

    def is_usable(self) -> bool:
        """Whether the file that was opened still has its name."""
        return self._is_there.is_so

    async def load(self, service: str) -> ServiceAggregate:
        return await self._reader.transact(partial(read_aggregate, service=service))

    async def load_all(self) -> Mapping[str, ServiceAggregate]:
        return await self._reader.transact(read_aggregates)

    async def compare_and_set(
        self,
        aggregate: ServiceAggregate,
        expected_revision: int,
        events: Sequence[Event],
        command: TakenCommand | None = None,
    ) -> ServiceAggregate:
        async def write(db: aiosqlite.Connection) -> ServiceAggregate:
            written = await write_aggregate(db, aggregate, expected_revision, events)
            if command is not None:
                await commands.record(db, command)
            return written

        return await self._writer.transact(write, committed=partial(self._watches.tell, (aggregate.name,)))

    async def taken_command(self, key: str) -> TakenCommand | None:
        return await self._reader.transact(partial(commands.read, key=key))

    async def gateways(self) -> Mapping[str, Gateway]:
        return await self._reader.transact(read_gateways)

    async def change_catalogue(self, change: CatalogueChange, events: Sequence[Event]) -> None:
        changed = (*(each.name for each in change.services), *change.removed_services)
        await self._writer.transact(
            partial(write_catalogue, change=change, events=events),
            committed=partial(self._watches.tell, changed),
        )

    def watch(self) -> AsyncIterator[str]:
        return self._watches.begin()

    async def known_proxies(self) -> Sequence[KnownProxy]:
        return await self._reader.transact(fleet.read_proxies)

    async def remember_proxies(self, proxies: Sequence[KnownProxy]) -> None:
        await self._writer.transact(partial(fleet.remember, proxies=proxies))

    async def forget_proxy(self, proxy: str, at: float, origin: Origin) -> None:
        await self._writer.transact(partial(fleet.forget, proxy=proxy, at=at, origin=origin))

    async def events(self, service: str | None, after: int = 0, limit: int = 100) -> Sequence[Event]:
        return await self._reader.transact(
            partial(history.read_events, service=service, after=after, limit=limit)
        )

    async def deployments(self, service: str, limit: int = 50) -> Sequence[Deployment]:
        return await self._reader.transact(partial(history.read_deployments, service=service, limit=limit))

    async def rollouts(self, service: str, limit: int = 50) -> Sequence[Rollout]:
        return await self._reader.transact(partial(history.read_rollouts, service=service, limit=limit))

    async def checks(self, service: str, limit: int = 50) -> Sequence[Check]:
        return await self._reader.transact(partial(history.read_checks, service=service, limit=limit))

    async def migration_runs(self, service: str, limit: int = 50) -> Sequence[MigrationRun]:
        return await self._reader.transact(partial(ledger.read_history, service=service, limit=limit))

    async def prune_events(self, before: float) -> int:
        await self._writer.transact(partial(history.prune_checks, before=before))
        await self._writer.transact(partial(commands.prune, before=before))
        total = 0
        while deleted := await self._writer.transact(partial(history.prune, before=before)):
            total += deleted
        return total
