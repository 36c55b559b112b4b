"""How long a process takes to answer the simplest question: the delay of its event loop, from outside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PAUSE = 0.005
"""Seconds between two questions."""


@dataclass(slots=True)
class Pulse:
    """Answer times of /healthz in seconds, the prober's own delays included."""

    times: list[float] = field(default_factory=list)

    @property
    def longest(self) -> float:
        return max(self.times, default=0.0)

    def quantile(self, share: float) -> float:
        """The time that `share` of the answers stayed below."""
        return sorted(self.times)[int(share * (len(self.times) - 1))] if self.times else 0.0


@asynccontextmanager
async def pulse(address: str) -> AsyncIterator[Pulse]:
    """Asks, on one connection, for as long as the context is open."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    seen = Pulse()
    asking = asyncio.create_task(_ask(reader, writer, seen))
    try:
        yield seen
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        writer.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Pulse) -> None:
    while True:
        asked = time.monotonic()
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        seen.times.append(time.monotonic() - asked)
        await asyncio.sleep(PAUSE)
