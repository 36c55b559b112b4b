"""Runs one start of an instance, once: `python -I -S launcher.py CLAIM RECORD DIRECTORY COMMAND...`.

The control plane may be killed between any two steps of a start, so the process itself says that it runs: it
writes its identity to the file CLAIM, and becomes the command (`exec`, which changes neither the process's id
nor its start time) only where that file did not exist. link(2) makes a file with its content in one step, or
fails: either the process has claimed its start, or the next control plane has voided it. RECORD is the
instance's own file: where it is gone, so is the instance.

A script of its own that imports nothing of the project, to start in 20 ms.
"""

from __future__ import annotations

import os
import signal
import sys

NOT_EXECUTABLE, NOT_FOUND = 126, 127  # as shells say it


def identity() -> str:
    """`PID START BOOT` of this process: no two processes of a machine have the same (proc_pid_stat(5),
    field 22, is in clock ticks since the boot)."""
    with open("/proc/self/stat", encoding="utf-8", errors="replace") as stat:
        # The name in field 2 may hold blanks and parentheses: what follows the last one begins with field 3.
        start = stat.read().rpartition(")")[2].split()[19]
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot:
        return f"{os.getpid()} {start} {boot.read().strip()}\n"


def take(claim: str, record: str) -> bool:
    """Whether this start is ours to run."""
    draft = f"{claim}.{os.getpid()}"
    with open(draft, "x", encoding="ascii") as file:
        file.write(identity())
    try:
        os.link(draft, claim)
    except FileExistsError:
        return False
    finally:
        os.unlink(draft)
    if os.path.exists(record):
        return True
    os.unlink(claim)
    return False


def main() -> None:
    """Claim the start, and become the command."""
    claim, record, directory, *command = sys.argv[1:]
    try:
        if not take(claim, record):
            return
        if directory:
            os.chdir(directory)
        # Python ignores some, whoever started the control plane perhaps others; exec would keep that.
        for number in signal.valid_signals():
            if signal.getsignal(number) is signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)  # noqa: S606 - the user's own command; no shell is in between
    except OSError as error:
        print(f"cannot start {command[0]}: {error}", file=sys.stderr)
        sys.exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)


if __name__ == "__main__":
    main()
