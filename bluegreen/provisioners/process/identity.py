"""Which process is meant: a number alone may be another one's tomorrow."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Identity:
    """A process's id, its start in clock ticks since the boot, and the boot."""

    pid: int
    start: int
    boot: str

    @property
    def age(self) -> float:
        """Seconds since its start."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.start / os.sysconf("SC_CLK_TCK")

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """The process that has this number now, also one that has ended and was not waited for."""
        try:
            text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The name in field 2 may hold blanks and parentheses: what follows the last one begins with field 3.
        return cls(pid, int(text.rpartition(")")[2].split()[19]), boot())

    @classmethod
    def parse(cls, text: str) -> Identity | None:
        """What the launcher wrote; None for anything else."""
        match text.split():
            case [pid, start, boot] if pid.isdecimal() and start.isdecimal():
                return cls(int(pid), int(start), boot)
            case _:
                return None


def boot() -> str:
    """The kernel's name for the time since it was started."""
    return _BOOT.read_text().strip()
