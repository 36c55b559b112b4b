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
    neither ends a wait early nor stretches it.

    `not_before` is the last moment that is on record. Where the wall clock was set back while nobody ran,
    time goes on from there, so that what is left of a stored wait is never more than was left then.
    """

    def __init__(self, not_before: float = 0.0) -> None:
        self._offset = max(time.time(), not_before) - time.monotonic()

    def now(self) -> float:
        return self._offset + time.monotonic()
