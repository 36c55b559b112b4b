"""What a command prints: read as fast as it comes, so that it never waits, and only so much of it kept."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import IO

from bluegreen.model.verdict import MAXIMUM_OUTPUT
from bluegreen.subprocesses.printable import printable

_CHUNK = 65_536  # as much as a pipe holds
_KEPT = MAXIMUM_OUTPUT - 80  # leaves room for the note on what is dropped


class _Reader(ABC):
    """Reads a pipe until its end, or until it is closed."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.is_whole = asyncio.Event()  # set once nobody can write any more
        self._pipe = pipe
        os.set_blocking(pipe.fileno(), False)
        asyncio.get_running_loop().add_reader(pipe, self._read)

    def close(self) -> None:
        """Read no more."""
        if not self._pipe.closed:
            asyncio.get_running_loop().remove_reader(self._pipe)
            self._pipe.close()

    def _read(self) -> None:
        if chunk := os.read(self._pipe.fileno(), _CHUNK):
            self._take(chunk)
        else:
            self.close()
            self.is_whole.set()

    @abstractmethod
    def _take(self, chunk: bytes) -> None: ...


class CommandOutput(_Reader):
    """Keeps the end, for a person."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(pipe)
        self._kept = bytearray()
        self._dropped = 0

    def text(self) -> str:
        """At most MAXIMUM_OUTPUT characters."""
        text = printable(self._kept.decode(errors="replace"))
        if not self._dropped:
            return text
        return f"[{self._dropped} bytes before this are not kept]\n{text}"

    def _take(self, chunk: bytes) -> None:
        self._kept += chunk
        surplus = len(self._kept) - _KEPT
        if surplus > 0:
            del self._kept[:surplus]
            self._dropped += surplus


class CommandAnswer(_Reader):
    """Keeps all, for a program: `limit` bytes at most. What says more is not listened to any longer, and
    `on_surplus` is called."""

    def __init__(self, pipe: IO[bytes], limit: int, on_surplus: Callable[[], None]) -> None:
        super().__init__(pipe)
        self.is_surplus = False
        self._limit, self._on_surplus = limit, on_surplus
        self._kept = bytearray()

    def content(self) -> bytes:
        return bytes(self._kept)

    def _take(self, chunk: bytes) -> None:
        self._kept += chunk
        if len(self._kept) > self._limit:
            self._kept.clear()
            self.is_surplus = True
            self.close()
            self.is_whole.set()
            self._on_surplus()
