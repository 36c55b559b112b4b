"""Ctrl-C while a stream is open."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class CtrlC:
    """Cancels a call, and is raised when that has ended. The exception that Python would raise, anywhere in
    the middle of grpc, can get lost there."""

    def __init__(self) -> None:
        self._came = False
        self._cancel: Callable[[], object] | None = None

    def cancels(self, cancel: Callable[[], object]) -> None:
        self._cancel = cancel
        if self._came:
            cancel()

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Raises KeyboardInterrupt at the end, in place of whatever the cancelled call has led to."""
        before = signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            if self._came:
                raise KeyboardInterrupt

    def _note(self, *_: object) -> None:
        self._came = True
        if self._cancel is not None:
            self._cancel()
