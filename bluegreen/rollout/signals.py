"""Telling many readers that something changed, without queues that grow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection


class ChangeSignals:
    """Names that changed, for any number of readers; each reader is told of a name once, however often it
    changed before it looked."""

    def __init__(self) -> None:
        self._readers: set[_Reader] = set()

    def notify(self, name: str) -> None:
        self.notify_all((name,))

    def notify_all(self, names: Collection[str]) -> None:
        for reader in self._readers:
            reader.take(names)

    def read(self, only: str | None = None) -> AsyncIterator[str]:
        """The names that change from now on, or one of them."""
        reader = _Reader(only)
        self._readers.add(reader)
        return self._names(reader)

    async def _names(self, reader: _Reader) -> AsyncIterator[str]:
        try:
            while True:
                await reader.woken.wait()
                reader.woken.clear()
                while reader.names:
                    name = next(iter(reader.names))
                    del reader.names[name]
                    yield name
        finally:
            self._readers.discard(reader)


class _Reader:
    def __init__(self, only: str | None) -> None:
        self.only = only
        self.names: dict[str, None] = {}
        self.woken = asyncio.Event()

    def take(self, names: Collection[str]) -> None:
        # Hundreds may read of one service each, while a proxy that reports is news of all of them.
        if self.only is None:
            self.names.update(dict.fromkeys(names))
        elif self.only in names:
            self.names[self.only] = None
        if self.names:
            self.woken.set()
