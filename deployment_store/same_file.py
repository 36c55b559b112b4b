"""Whether the file that is open is still the one that has the name."""

from __future__ import annotations

import os
from pathlib import Path

from bluegreen.model.errors import NotServing


class SameFile:
    """A file that was deleted or replaced can still be written to by who has it open, and what is written is
    lost with the process. So its identity is looked at before each transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity = _identity(path)

    @property
    def is_so(self) -> bool:
        return _identity(self._path) == self._identity

    def check(self) -> None:
        """Raise NotServing where the name leads to no file, or to another one."""
        if not self.is_so:
            raise NotServing(
                f"The database {self._path} was deleted or replaced while it was in use: nothing can be"
                " recorded. Put the file back and start the control plane again; the proxies go on with what"
                " they have."
            )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
