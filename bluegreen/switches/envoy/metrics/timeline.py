"""Counts over time, in bounded memory."""

from __future__ import annotations

from itertools import chain
from math import ceil, inf

from bluegreen.switches.envoy.metrics.counts import Counts, Figure, merge

FINE = 0.5
FINE_KEPT = 60.0
COARSE = 10.0
KEPT = 900.0
"""Seconds: counts are kept in slots of FINE for FINE_KEPT, then in slots of COARSE until KEPT has passed."""


class Slot:
    """What happened within a stretch of time, and nothing from before `earliest`."""

    __slots__ = ("counts", "earliest", "first_failure_at")

    def __init__(self) -> None:
        self.counts: Counts = {}
        self.earliest = inf
        self.first_failure_at: float | None = None

    def add(self, began: float, counts: Counts, failed_at: float | None) -> None:
        self.earliest = min(self.earliest, began)
        if failed_at is not None:
            self.first_failure_at = min(failed_at, self.first_failure_at or inf)
        merge(self.counts, counts)

    def include(self, other: Slot) -> None:
        self.add(other.earliest, other.counts, other.first_failure_at)

    def of(self, figure: Figure) -> int:
        return self.counts.get(figure, 0)


class Timeline:
    """Growth that was reported, kept by the time at which it began.

    A proxy reports what happened since its report before. So a stretch from `since` on holds only what
    happened in it if it is made of reports whose stretch began in it; one from across its beginning is left
    out, and so is a slot that holds such a one.
    """

    def __init__(self) -> None:
        self.newest = 0.0
        self._fine: dict[int, Slot] = {}
        self._coarse: dict[int, Slot] = {}
        self._aged_at = 0.0

    def __len__(self) -> int:
        return len(self._fine) + len(self._coarse)

    def add(self, began: float, at: float, counts: Counts, *, failed: bool = False) -> None:
        """Growth from `began` to `at`, both in seconds since the epoch, at most FINE_KEPT apart."""
        began = min(began, at)
        self.newest = at
        if at >= self._aged_at + COARSE or at < self._aged_at:
            self.age(at)
        _slot(self._fine, began, FINE).add(began, counts, at if failed else None)

    def edge(self, since: float, now: float) -> float:
        """The first moment from `since` on, and of the last KEPT seconds, that can be told from what was
        before it. It holds for every timeline in which nothing began that did not in this one as well."""
        since = max(since, now - KEPT)
        if since < now - FINE_KEPT:
            # Here or there these are coarse slots already.
            return ceil(since / COARSE) * COARSE
        slot = self._fine.get(int(since // FINE))
        return since if slot is None or slot.earliest >= since else (since // FINE + 1) * FINE

    def since(self, edge: float) -> Slot:
        """The sum of what began at an edge or later."""
        total = Slot()
        for slot in chain(self._fine.values(), self._coarse.values()):
            if slot.earliest >= edge:
                total.include(slot)
        return total

    def age(self, now: float) -> None:
        """What is older goes from fine slots to coarse ones, and away. So does what a clock that was set back
        left in the future."""
        self._aged_at = now
        fine, coarse = self._fine, self._coarse
        self._fine, self._coarse = {}, {key: slot for key, slot in coarse.items() if _is_kept(slot, now)}
        for key, slot in fine.items():
            if not _is_kept(slot, now):
                continue
            if (slot.earliest // COARSE + 1) * COARSE > now - FINE_KEPT:
                self._fine[key] = slot
            else:
                _slot(self._coarse, slot.earliest, COARSE).include(slot)


def _slot(slots: dict[int, Slot], began: float, width: float) -> Slot:
    key = int(began // width)
    slot = slots.get(key)
    if slot is None:
        slot = slots[key] = Slot()
    return slot


def _is_kept(slot: Slot, now: float) -> bool:
    return now - KEPT - COARSE <= slot.earliest <= now
