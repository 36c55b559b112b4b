"""Following a stream of the control plane across its restarts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from bluegreen.admin.cli.connection import OutOfReach, Overdue
from bluegreen.admin.cli.exit_code import ExitCode
from bluegreen.admin.cli.options import Patience
from bluegreen.admin.cli.output import tell

Message = TypeVar("Message")

_PAUSE = 0.2
"""Seconds between two attempts."""

RENEW_AFTER = 5.0
"""Seconds after which a stream is opened anew, so that one which has silently died is not read for ever."""


def follow(
    open_stream: Callable[[float], Iterator[Message]],
    patience: Patience,
    *,
    answered: bool = False,
    quiet: bool = False,
) -> Iterator[Message]:
    """The messages of a stream that is opened again where the control plane goes away once it has answered,
    here or (`answered`) before; what it has promised is durable, so it will go on with it.

    `open_stream` is given the seconds after which to end with Overdue. Unless it is `quiet`, a stream begins
    with a message: one without any is as good as none. Raises Overdue when the patience is at its end, and
    what was wrong when nobody answers, or has for too long.
    """
    deadline = None if patience.timeout is None else time.monotonic() + patience.timeout
    lost: Lost | None = None
    while True:
        left = RENEW_AFTER if deadline is None else max(0.0, deadline - time.monotonic())
        heard = quiet
        try:
            for message in open_stream(min(left, RENEW_AFTER)):
                if lost is not None:
                    tell("the control plane is back")
                lost, answered, heard = None, True, True
                yield message
        except (Overdue, OutOfReach) as failure:
            overdue = isinstance(failure, Overdue)
            if not answered or (overdue and deadline is not None and left <= RENEW_AFTER):
                raise
            lost = None if overdue and heard else lost or _lose(failure, patience)
        if lost is not None:
            if deadline is not None and time.monotonic() >= deadline:
                raise Overdue(lost.failure.message, ExitCode.FAILED)
            if time.monotonic() - lost.since > patience.reconnect:
                raise lost.failure
            time.sleep(_PAUSE)


@dataclass(frozen=True, slots=True)
class Lost:
    """Since when nobody answers, and how that was noticed."""

    since: float
    failure: Overdue | OutOfReach


def _lose(failure: Overdue | OutOfReach, patience: Patience) -> Lost:
    tell(f"{failure.message} Trying again for {patience.reconnect:.0f} s.")
    return Lost(time.monotonic(), failure)
