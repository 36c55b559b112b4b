"""Telling readers what has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Self
from weakref import WeakSet


class Watch:
    """The names of what changes from now on: each once, however often it changed until it was read."""

    def __init__(self) -> None:
        self._changed: dict[str, None] = {}  # in the order of the first change that was not read yet
        self._something = asyncio.Event()
        self._ended = False

    def add(self, names: Iterable[str]) -> None:
        self._changed.update(dict.fromkeys(names))
        if self._changed:
            self._something.set()

    def end(self) -> None:
        """Let the reader read what is left, and then end."""
        self._ended = True
        self._something.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while not self._changed:
            if self._ended:
                raise StopAsyncIteration
            self._something.clear()
            await self._something.wait()
        name = next(iter(self._changed))
        del self._changed[name]
        return name


class Watches:
    """All readers. One that nobody refers to any more is gone."""

    def __init__(self) -> None:
        self._all: WeakSet[Watch] = WeakSet()

    def begin(self) -> Watch:
        watch = Watch()
        self._all.add(watch)
        return watch

    def tell(self, names: Iterable[str]) -> None:
        names = tuple(names)
        for watch in self._all:
            watch.add(names)

    def end(self) -> None:
        for watch in self._all:
            watch.end()
