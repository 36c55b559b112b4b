"""What instances leave behind when their processes end, in whatever group or session: it would hold the port.

It is known by the instance's id in its environment, as that was when it was started.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from bluegreen.provisioners.process.command_line import INSTANCE

REST = 10
"""Times as long as a look at all processes of the machine took, nobody looks again: where a thousand
instances end one after the other, it is done for many of them at once."""

_PREFIX = f"{INSTANCE}=".encode()

log = logging.getLogger(__name__)


class Remains:
    """Clears them away, for all keepers together."""

    def __init__(self) -> None:
        self._wanted: set[str] = set()
        self._turn = asyncio.Lock()

    async def clear(self, instance: str) -> None:
        """Kill whoever bears this instance's id. What cannot be is told."""
        self._wanted.add(instance)
        async with self._turn:
            if instance not in self._wanted:
                return  # done, together with others
            wanted, self._wanted = self._wanted, set()
            clock = asyncio.get_running_loop().time
            began = clock()
            try:
                kill_bearers(wanted)
            except OSError as error:  # out of descriptors, most likely
                names = ", ".join(sorted(wanted))[:300]
                log.error("what instances have left behind cannot be looked for (%s): %s", names, error)
            await asyncio.sleep((clock() - began) * REST)


def kill_bearers(instances: Collection[str]) -> None:
    """Kill the processes in whose environment one of these stands; never ours. Only such as this user may
    look into are found. Raises OSError."""
    wanted = {_PREFIX + each.encode() for each in instances}
    for name in os.listdir("/proc"):
        if name.isdecimal() and int(name) != os.getpid() and _bears(name, wanted):
            _kill(int(name), wanted)


def _kill(pid: int, wanted: Collection[bytes]) -> None:
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        # Asked again once the pidfd is open: from now on both mean the same process.
        if _bears(str(pid), wanted):
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    finally:
        os.close(pidfd)


def _bears(pid: str, wanted: Collection[bytes]) -> bool:
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False  # it has ended, or is another user's
    return any(each.startswith(_PREFIX) and each in wanted for each in variables)
