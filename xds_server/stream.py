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

    __slots__ = ("_clock", "_ending", "_fleet", "_session", "_transport", "_waiter")

    def __init__(
        self, transport: Transport, session: Session, fleet: Fleet, clock: Callable[[], float]
    ) -> None:
        self._transport = transport
        self._session = session
        self._fleet = fleet
        self._clock = clock
        self._ending = False
        self._waiter: asyncio.Future[None] | None = None

    async def run(self) -> Refused | None:
        """Serve until the client is done; the reason if it was refused. The first request was received
        already.

        What ends is freed at once, by the count of references: nothing leads back to itself, by a traceback
        either. Thousands of streams that end would otherwise be garbage for the collector, which stops the
        process to find it.
        """
        live = LiveStream(self._session, self.wake, self._clock())
        self._fleet.join(live)
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(self._write(live))
                refused = await self._read(live)
                if refused is not None:
                    # No status can be sent while a message is under way: the reason would not arrive.
                    self._ending = True
                    self.wake()
                    await asyncio.wait((writing,), timeout=_LAST_WRITE)
                writing.cancel()
            return refused
        except asyncio.CancelledError as cancelled:
            # Its traceback leads through the group, which holds the exception.
            cancelled.__traceback__ = None
            raise
        finally:
            self._fleet.leave(live)

    def wake(self) -> None:
        """There may be something to send."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def _read(self, live: LiveStream) -> Refused | None:
        session, read = self._session, self._transport.read
        while (message := await read()) is not END:
            live.last_seen = now = self._clock()
            try:
                session.receive(message, now)
            except Refused as refused:
                return refused.with_traceback(None)
            self._fleet.note(live)
            if session.unsaid:
                self.wake()
        return None

    async def _write(self, live: LiveStream) -> None:
        session, write = self._session, self._transport.write
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
