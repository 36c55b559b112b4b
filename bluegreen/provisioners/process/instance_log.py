"""The log file of an instance: bounded while its process writes to it by itself.

The process has the file open, and goes on writing while no control plane runs; so a full log is copied to
`.log.1` and cut short. What is written between the two is lost, and what is written before anybody looks
comes on top of the bound.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

from bluegreen.subprocesses.printable import printable

GENERATION = 4 * 1024 * 1024
"""Bytes; there are two generations."""

LONGEST_TAIL = 262_144
"""Bytes that are read of the end of a log."""

KEPT = 50
"""Logs of instances that are gone; the newest are kept."""


def cut(log: Path) -> None:
    """Where the log is full, move its end to `.log.1`. Raises OSError."""
    try:
        size = log.stat().st_size
    except FileNotFoundError:
        return  # nothing was started yet
    if size <= GENERATION:
        return
    draft = log.with_suffix(".draft")
    try:
        with log.open("rb") as full, draft.open("wb") as copy:
            full.seek(-GENERATION, os.SEEK_END)
            copy.write(full.read(GENERATION))
        draft.replace(_older(log))
    finally:
        os.truncate(log, 0)  # also where the disk has no room for a copy


def tail(log: Path, lines: int) -> str:
    """The last lines, printable, of both generations; empty where there are none. Raises OSError."""
    text = _end(log, LONGEST_TAIL)
    if len(text) < LONGEST_TAIL:
        text = _end(_older(log), LONGEST_TAIL - len(text)) + text
    last = deque(text.decode(errors="replace").splitlines(), maxlen=max(lines, 0))
    return printable("\n".join(last))


def prune(logs: Path, current: set[Path]) -> None:
    """Drop the oldest logs of those that are gone. Raises OSError."""
    gone = [log for log in logs.glob("*.log") if log not in current]
    gone.sort(key=lambda log: log.stat().st_mtime, reverse=True)
    for log in gone[KEPT:]:
        log.unlink(missing_ok=True)
        _older(log).unlink(missing_ok=True)


def _older(log: Path) -> Path:
    return log.with_suffix(".log.1")


def _end(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - size))
            return file.read(size)
    except FileNotFoundError:
        return b""
