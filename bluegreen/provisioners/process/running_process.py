"""One process that runs, whether it is our child or was taken over from a control plane that is gone.

Linux tells of its end through a pidfd (pidfd_open(2)), and signals sent through that reach no other process.
It leads a session and a process group of its own, which is killed as soon as it ends; what has left the
group as well is the business of `remains`.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bluegreen.provisioners.process.identity import Identity


@dataclass(frozen=True, slots=True)
class Launch:
    """What to run: the whole environment, and the file to which all that it prints is added."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path


class RunningProcess:
    """`ended` says how, once it has: an exit status, a signal. `on_end` is called then."""

    def __init__(self, pid: int, pidfd: int, on_end: Callable[[], None]) -> None:
        self.pid = pid
        self.ended = ""
        self._pidfd = pidfd
        self._on_end = on_end
        asyncio.get_running_loop().add_reader(pidfd, self._end)

    @classmethod
    def start(cls, launch: Launch, on_end: Callable[[], None]) -> Self:
        """Holds the loop for the milliseconds between fork and exec. Raises OSError, ValueError."""
        pid = os.posix_spawn(
            launch.arguments[0],
            launch.arguments,
            launch.environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                # What others add while it is cut short (see instance_log) goes to its end, wherever that is.
                (os.POSIX_SPAWN_OPEN, 1, launch.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigmask=(),
        )
        try:
            return cls(pid, os.pidfd_open(pid), on_end)
        except OSError:  # out of descriptors, most likely
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise

    @classmethod
    def adopt(cls, identity: Identity, on_end: Callable[[], None]) -> Self | None:
        """Take over the process that another control plane started; None where it is gone. Raises OSError
        where that cannot be found out."""
        try:
            pidfd = os.pidfd_open(identity.pid)
        except ProcessLookupError:
            return None
        # Asked once the pidfd is open: from now on both mean the same process.
        try:
            is_it = Identity.of(identity.pid) == identity
        except OSError:
            os.close(pidfd)
            raise
        if not is_it:
            os.close(pidfd)
            return None
        return cls(identity.pid, pidfd, on_end)

    def terminate(self) -> None:
        """Ask it to end: the leader alone, which knows what to do with its children."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the whole group."""
        if self._runs():
            with suppress(ProcessLookupError, PermissionError):  # all gone; or what is left changed its user
                os.killpg(self.pid, signal.SIGKILL)
            self._signal(signal.SIGKILL)  # it may have moved to another group

    def let_go(self) -> None:
        """Look after it no longer, and let it run."""
        if not self.ended:
            self._forget()

    def _runs(self) -> bool:
        """Whether the kernel says so: once one that was not our child has ended, its number may be that of
        another process or group before we hear of it."""
        if self.ended:
            return False
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return not poll.poll(0)

    def _signal(self, number: signal.Signals) -> None:
        if not self.ended:
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._pidfd, number)

    def _end(self) -> None:
        try:
            # Our child: until it is waited for, its number stays its own, and so does the group's.
            os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            self.ended = "ended (its exit status went to the process that took it over)"
        else:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self.ended = _describe(os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG))
        self._forget()
        self._on_end()

    def _forget(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)


def _describe(result: os.waitid_result | None) -> str:
    match result:
        case None:
            return "ended"
        case _ if result.si_code == os.CLD_EXITED:
            return f"ended with exit status {result.si_status}"
        case _:
            return f"was ended by {_signal_name(result.si_status)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # one of the real-time signals
