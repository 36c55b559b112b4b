"""One control plane for one database."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bluegreen.model.errors import InvalidInput, Refused


@contextmanager
def hold(database: Path) -> Iterator[None]:
    """Hold the lock beside a database, `<database>.lock`. Raises Refused where another process holds it.

    The kernel gives the lock up with the process, however it ends; the file itself stays and means nothing.
    It is never deleted: another process may already have it open, and two would hold a lock each.
    """
    path = Path(f"{database}.lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InvalidInput(
            f"The lock file {path} cannot be opened: {error.strerror}. Name a database in a directory that"
            " exists and that this process may write to."
        ) from error
    try:
        _take(descriptor, database)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, database: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise Refused(
            f"The database {database} is in use by another control plane (process {holder}).",
            "Stop that one first, or name another database file.",
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
