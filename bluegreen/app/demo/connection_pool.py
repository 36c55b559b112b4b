"""The load's connections to one target: opened when needed, kept, and their losses counted."""

from __future__ import annotations

import asyncio
from typing import Protocol

from bluegreen.app.demo.exchange import Answer, Failure, Request, RequestFailed
from bluegreen.app.demo.http1_client import Http1Connection
from bluegreen.app.demo.http2_client import Http2Connection
from bluegreen.app.demo.load_plan import Target
from bluegreen.app.demo.load_recorder import LoadRecorder


class ConnectionPool(Protocol):
    """What the load needs of either protocol."""

    async def exchange(self, request: Request) -> Answer:
        """Send the request once, on a connection not known to be lost. Raises RequestFailed."""

    def sweep(self) -> None:
        """Notice the connections lost while nothing was sent on them."""

    def close(self) -> None:
        """Close all."""


class Http1Pool:
    """As many connections as there are requests at once."""

    def __init__(self, target: Target, recorder: LoadRecorder) -> None:
        self._target = target
        self._recorder = recorder
        self._idle: list[Http1Connection] = []

    async def exchange(self, request: Request) -> Answer:
        """See ConnectionPool."""
        self.sweep()
        connection = self._idle.pop() if self._idle else await self._open()
        reusable = False
        try:
            answer = await connection.exchange(request)
            reusable = True
            return answer
        finally:
            if connection.is_lost:
                self._recorder.lost()
            elif reusable:
                self._idle.append(connection)
            if not reusable or connection.is_lost:
                connection.close()

    def sweep(self) -> None:
        """See ConnectionPool."""
        for connection in [connection for connection in self._idle if connection.is_lost]:
            self._idle.remove(connection)
            self._recorder.lost()
            connection.close()

    def close(self) -> None:
        """See ConnectionPool."""
        for connection in self._idle:
            connection.close()

    async def _open(self) -> Http1Connection:
        try:
            connection = await Http1Connection.open(self._target.host, self._target.port)
        except OSError as error:
            raise RequestFailed(Failure.CONNECT, str(error)) from error
        self._recorder.opened()
        return connection


class Http2Pool:
    """A few connections, more when these have no room, each for many requests at once."""

    def __init__(self, target: Target, recorder: LoadRecorder, few: int) -> None:
        self._target = target
        self._recorder = recorder
        self._few = few
        self._connections: list[Http2Connection] = []
        self._opening = asyncio.Lock()

    async def exchange(self, request: Request) -> Answer:
        """See ConnectionPool."""
        if not self._has_room():
            async with self._opening:
                while not self._has_room():  # another request may have opened one, or one be lost meanwhile
                    await self._open()
        return await max(self._connections, key=lambda connection: connection.room).exchange(request)

    def sweep(self) -> None:
        """See ConnectionPool. What is in flight on a lost one may still be answered."""
        for connection in [connection for connection in self._connections if connection.is_lost]:
            self._connections.remove(connection)
            self._recorder.lost()

    def close(self) -> None:
        """See ConnectionPool."""
        for connection in self._connections:
            connection.close()

    def _has_room(self) -> bool:
        self.sweep()
        if len(self._connections) < self._few:
            return False
        return any(connection.room > 0 for connection in self._connections)

    async def _open(self) -> None:
        try:
            connection = await Http2Connection.open(self._target.host, self._target.port)
        except OSError as error:
            raise RequestFailed(Failure.CONNECT, str(error)) from error
        self._recorder.opened()
        self._connections.append(connection)
