"""Telling many readers that something changed, without queues that grow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator


class ChangeSignals:
    """Names that changed, for any number of readers; each reader is told of a name once, however often it
    changed before it looked."""

    def __init__(self) -> None:
        self._readers: set[_Reader] = set()

    @property
    def has_readers(self) -> bool:
        return bool(self._readers)

    def notify(self, name: str) -> None:
        for reader in self._readers:
            reader.names[name] = None
            reader.woken.set()

    def read(self) -> AsyncIterator[str]:
        """The names that change from now on."""
        reader = _Reader()
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
    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self.woken = asyncio.Event()
