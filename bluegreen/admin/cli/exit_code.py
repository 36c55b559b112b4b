"""How a verb ended, for scripts."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The same for every verb; part of the public contract."""

    DONE = 0
    """What was asked for has happened; without --wait: it is decided, durably."""

    FAILED = 1
    """It did not come to pass, or the control plane could not be reached or failed itself."""

    USAGE = 2
    """The words are wrong: the command line, a name that is not known, a mistake in the service file."""

    RETURNED = 3
    """The rollout was aborted or rolled back: the traffic is where it was before. Of migrations: they were
    given up."""

    TIMED_OUT = 4
    """--timeout is over. The work goes on: only the waiting has ended."""

    REFUSED = 5
    """Illegal in the present state, or another operator was faster. Nothing was changed."""

    INTERRUPTED = 130
    """Ctrl-C, by the shell's convention. The work goes on."""
