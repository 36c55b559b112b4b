"""Looks at each pool again and again, for as long as somebody wants it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Self

SHORTEST_INTERVAL = 0.1
"""Seconds, whatever is asked for: nothing here ever runs without a rest."""

JITTER = 0.1
"""The part of an interval by which it varies, so that a thousand pools are not looked at at once."""

Key = tuple[str, int]


class Polling:
    """One task a pool. A look that raises ends the context: it is a defect."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        """Looks for as long as the context is open."""
        async with asyncio.TaskGroup() as group:
            polling = cls(group)
            try:
                yield polling
            finally:
                for key in list(polling._tasks):
                    polling.end(key)

    def begin(self, key: Key, interval: float, look: Callable[[], Awaitable[None]]) -> None:
        """Look every `interval` seconds, the first time after one, unless that is done already."""
        if key not in self._tasks:
            self._tasks[key] = self._group.create_task(_repeat(max(interval, SHORTEST_INTERVAL), look))

    def end(self, key: Key) -> None:
        """Look no more; one that is under way is cancelled."""
        if task := self._tasks.pop(key, None):
            task.cancel()


async def _repeat(interval: float, look: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(interval * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - no secret
        await look()
