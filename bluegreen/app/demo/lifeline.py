"""Runs a command that must not outlive its parent.

    python -I -S lifeline.py PARENT_PID [--as UID:GID] COMMAND...

The command takes this process's place (`exec`), and Linux sends it SIGKILL when its parent dies, however it
dies (prctl(2), PR_SET_PDEATHSIG; the setting survives `exec`). A script of its own, because the usual way, a
function between fork and exec, runs Python in the copy of a process whose threads (gRPC has many) are gone.
It imports nothing of the project, to start in 20 ms.

With `--as`, root becomes another user first: some programs (PostgreSQL) refuse to run as root.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
COMMAND_NOT_FOUND = 127  # as shells say it


def become(user: int, group: int) -> None:
    """Be another user, with no other groups. Raises OSError."""
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)


def hold_on_to(parent: int) -> None:
    """Have the kernel kill this process with its parent; end it if that is gone. Raises OSError."""
    if sys.platform != "linux":
        return  # elsewhere the parent's own clean-up is all there is
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if os.getppid() != parent:  # it died before the call above: no signal will come
        sys.exit("the parent process is gone")


def main() -> None:
    """Take the parent's id and the command from the command line, and become the command."""
    parent, *command = sys.argv[1:]
    if command[0] == "--as":
        user, _, group = command[1].partition(":")
        become(int(user), int(group))  # before the next line: who changes the user is let go by the kernel
        command = command[2:]
    hold_on_to(int(parent))
    try:
        os.execvp(command[0], command)  # noqa: S606 - the parent chose the command; no shell is in between
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(COMMAND_NOT_FOUND)


if __name__ == "__main__":
    main()
