"""Counters that outlive the process that counts."""

from __future__ import annotations


class RunningTotal:
    """The sum of a counter over the restarts of its Envoy.

    Envoy reports counters cumulatively, so that a report that was lost costs nothing; they begin at 0 again
    when it restarts, and then they fall.
    """

    __slots__ = ("_last", "_past")

    def __init__(self) -> None:
        self._past = 0
        self._last = 0

    def report(self, value: int) -> int:
        """By how much it has grown."""
        before = self._last
        if value < before:
            self._past += before
            before = 0
        self._last = value
        return value - before

    @property
    def value(self) -> int:
        return self._past + self._last
