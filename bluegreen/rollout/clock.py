"""Time, injected, so that tests can move it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch; never goes back within one process."""
        ...


class SystemClock:
    """The wall clock as it was at the start, carried on by the monotonic one: a step of the wall clock
    neither ends a wait early nor stretches it."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        return self._offset + time.monotonic()
