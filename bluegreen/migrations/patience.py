"""Trying again, later and later, what others were in the way of."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from bluegreen.migrations.errors import GaveWay, Refused

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0
"""Seconds; each pause is twice as long as the one before."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as a run takes it: what it is, in seconds, and waiting for it to pass."""

    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    # Of a pause, so that two who were in one another's way do not meet again.
    part: Callable[[], float] = lambda: random.uniform(0.5, 1.0)  # noqa: S311 - no secret depends on it

    @classmethod
    def of_loop(cls) -> Clock:
        return cls(asyncio.get_running_loop().time)


async def persist(
    attempt: Callable[[], Awaitable[T]], patience: float, clock: Clock, tell: Callable[[str], None]
) -> T:
    """What the first attempt returns that does not raise GaveWay. After `patience` seconds it is Refused; in
    between `tell` is told why it waits, and "" when it tries again."""
    until = clock.now() + patience
    pause = FIRST_PAUSE
    while True:
        try:
            return await attempt()
        except GaveWay as others:
            remaining = until - clock.now()
            if remaining <= 0:
                raise Refused(f"{others}; it was tried for {patience:g} s") from others
            tell(f"{others}; it is tried again")
            await clock.sleep(min(pause * clock.part(), max(0.01, remaining)))
            pause = min(2 * pause, LONGEST_PAUSE)
            tell("")
