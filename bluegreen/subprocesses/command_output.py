"""What a command prints: read as fast as it comes, so that it never waits, and only the end of it kept."""

from __future__ import annotations

import asyncio
import os
from typing import IO

from bluegreen.model.verdict import MAXIMUM_OUTPUT
from bluegreen.subprocesses.printable import printable

_CHUNK = 65_536  # as much as a pipe holds
_KEPT = MAXIMUM_OUTPUT - 80  # leaves room for the note on what is dropped


class CommandOutput:
    """Reads a pipe until its end, or until it is closed."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.is_whole = asyncio.Event()  # set once nobody can write any more
        self._pipe = pipe
        self._kept = bytearray()
        self._dropped = 0
        os.set_blocking(pipe.fileno(), False)
        asyncio.get_running_loop().add_reader(pipe, self._read)

    def text(self) -> str:
        """At most MAXIMUM_OUTPUT characters."""
        text = printable(self._kept.decode(errors="replace"))
        if not self._dropped:
            return text
        return f"[{self._dropped} bytes before this are not kept]\n{text}"

    def close(self) -> None:
        """Read no more."""
        if not self._pipe.closed:
            asyncio.get_running_loop().remove_reader(self._pipe)
            self._pipe.close()

    def _read(self) -> None:
        chunk = os.read(self._pipe.fileno(), _CHUNK)
        if not chunk:
            self.close()
            self.is_whole.set()
            return
        self._kept += chunk
        surplus = len(self._kept) - _KEPT
        if surplus > 0:
            del self._kept[:surplus]
            self._dropped += surplus
