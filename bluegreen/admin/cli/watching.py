"""Following a stream of the control plane across its restarts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from bluegreen.admin.cli.connection import OutOfReach
from bluegreen.admin.cli.options import Patience
from bluegreen.admin.cli.output import tell

Message = TypeVar("Message")

_PAUSE = 0.2
"""Seconds between two attempts."""


def follow(
    open_stream: Callable[[float | None], Iterator[Message]], patience: Patience, *, answered: bool = False
) -> Iterator[Message]:
    """The messages of a stream that is opened again where the control plane goes away once it has answered,
    here or (`answered`) before; what it has promised is durable, so it will go on with it.

    `open_stream` is given the seconds that are left. Raises Overdue when there are none, OutOfReach when
    nobody answers, or has for too long.
    """
    begin = time.monotonic()
    lost_at: float | None = None
    while True:
        left = None if patience.timeout is None else max(0.0, patience.timeout - (time.monotonic() - begin))
        try:
            for message in open_stream(left):
                if lost_at is not None:
                    tell("the control plane is back")
                lost_at, answered = None, True
                yield message
        except OutOfReach as failure:
            now = time.monotonic()
            if not answered or (lost_at is not None and now - lost_at > patience.reconnect):
                raise
            if lost_at is None:
                lost_at = now
                tell(f"{failure.message} Trying again for {patience.reconnect:.0f} s.")
        time.sleep(_PAUSE)
