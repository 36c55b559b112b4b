"""Waiting for news, and not longer than one cares to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def noticing(names: AsyncIterator[str], wanted: str | None = None) -> AsyncIterator[asyncio.Event]:
    """An event that is set for each of `names` that is `wanted`; None: for each. Who waits clears it."""
    noticed = asyncio.Event()

    async def read() -> None:
        async for name in names:
            if wanted in (None, name):
                noticed.set()

    reading = asyncio.create_task(read(), name=f"changes of {wanted or 'anything'}")
    try:
        yield noticed
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading


async def within(seconds: float, noticed: asyncio.Event) -> None:
    """Wait for the event, or until the time is over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await noticed.wait()
