"""One connection to the database, used for one transaction at a time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from enum import StrEnum
from typing import Any, TypeVar

import aiosqlite

from bluegreen.model.errors import NotServing
from deployment_store.same_file import SameFile

T = TypeVar("T")


class Begin(StrEnum):
    """How a transaction begins. A write takes its lock at once: what it reads first can then not go stale."""

    READ = "BEGIN"
    WRITE = "BEGIN IMMEDIATE"


def _nothing() -> None:
    """What follows most commits."""


class Session:
    """Transactions on one connection, in the order in which they were asked for."""

    def __init__(self, connection: aiosqlite.Connection, begin: Begin, is_there: SameFile) -> None:
        self._connection = connection
        self._begin = begin
        self._is_there = is_there
        self._turn = asyncio.Lock()

    async def transact(
        self, work: Callable[[aiosqlite.Connection], Awaitable[T]], committed: Callable[[], None] = _nothing
    ) -> T:
        """Do `work` in one transaction: committed when it returns, rolled back when it raises.

        A caller that is cancelled while it waits for its turn has done nothing. One that is cancelled later
        learns of it only when the transaction has ended either way; the next read tells which. `committed`
        is called after a commit in any case. Raises NotServing where the database cannot be used.
        """
        async with self._turn:
            return await uninterrupted(self._transact(work, committed))

    async def _transact(
        self, work: Callable[[aiosqlite.Connection], Awaitable[T]], committed: Callable[[], None]
    ) -> T:
        self._is_there.check()
        try:
            await self._connection.execute(self._begin)
            result = await work(self._connection)
            await self._connection.commit()
        except sqlite3.OperationalError as error:
            await self._connection.rollback()
            raise NotServing(
                f"The database cannot be used now: {error}. Nothing was changed. See that its disk has room"
                " and that no other program holds it locked, then try again."
            ) from error
        except BaseException:
            # Whatever it was: the connection is left without an open transaction, and the error goes on.
            # After a commit that did succeed, this does nothing.
            await self._connection.rollback()
            raise
        committed()
        return result


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` to its end; a cancellation that arrives meanwhile is raised afterwards.

    asyncio.shield alone would let the caller go while the work still runs.
    """
    task = asyncio.ensure_future(work)
    cancellation: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancellation = error
    if cancellation is None:
        return task.result()
    if not task.cancelled() and (failure := task.exception()) is not None:
        raise cancellation from failure
    raise cancellation
