"""One discovery stream over gRPC: reads requests into a session, writes what the session has to say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

import grpc

from .errors import Refused
from .fleet import Fleet, LiveStream
from .session import Session
from .view import NO_NAMES

END: Final[Any] = grpc.aio.EOF
# How long a refused client has to read the message that is under way, in seconds.
_LAST_WRITE: Final = 1.0


class Transport(Protocol):
    """The narrow interface to gRPC: whole messages as bytes. ``read`` gives None at the end of the client's
    side.
    """

    async def read(self) -> Any: ...

    async def write(self, message: bytes) -> None: ...


class Stream:
    """Pumps one session until the client ends, is refused or goes away.

    At most one message is being written at a time, and the next is made only when it is gone: a proxy that
    does not read costs one message (row SLOW), and gets the newest state when it reads again.
    """

    __slots__ = ("_clock", "_ending", "_fleet", "_live", "_session", "_transport", "_waiter")

    def __init__(
        self, transport: Transport, session: Session, fleet: Fleet, clock: Callable[[], float]
    ) -> None:
        self._transport = transport
        self._session = session
        self._fleet = fleet
        self._clock = clock
        self._ending = False
        self._waiter: asyncio.Future[None] | None = None
        self._live = LiveStream(session, self.wake, clock())

    async def run(self) -> Refused | None:
        """Serve until the client is done; the reason if it was refused. The first request was received
        already.
        """
        self._fleet.join(self._live)
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(self._write())
                refused = await self._read()
                if refused is not None:
                    # No status can be sent while a message is under way: the reason would not arrive.
                    self._ending = True
                    self.wake()
                    await asyncio.wait((writing,), timeout=_LAST_WRITE)
                writing.cancel()
            return refused
        finally:
            self._fleet.leave(self._live)

    def wake(self) -> None:
        """There may be something to send."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def _read(self) -> Refused | None:
        session, live, read = self._session, self._live, self._transport.read
        while (message := await read()) is not END:
            live.last_seen = now = self._clock()
            try:
                session.receive(message, now)
            except Refused as refused:
                return refused
            self._fleet.note(live)
            if session.unsaid:
                self.wake()
        return None

    async def _write(self) -> None:
        session, live, write = self._session, self._live, self._transport.write
        loop = asyncio.get_running_loop()
        while not self._ending:
            now = self._clock()
            response = session.next_response(now)
            if response is None:
                self._waiter = loop.create_future()
                timer = None if session.wake_at is None else loop.call_later(session.wake_at - now, self.wake)
                await self._waiter
                if timer is not None:
                    timer.cancel()
                continue
            live.blocked_since = now
            await write(response)
            live.blocked_since = None
            if session.warming:
                self._fleet.warm(session.node.id, session.warming)
                session.warming = NO_NAMES
            self._fleet.note(live)
