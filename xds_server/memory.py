"""Garbage collection under thousands of streams."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Mapping
from itertools import count
from typing import Final

from .fleet import Fleet

# Seconds between two collections of what is young, and rounds of it between two of all that is not set aside.
_ROUND: Final = 0.05
_FULL_ROUNDS: Final = 1_200
# CPU seconds of collecting after which all that was found alive is set aside.
_WALK: Final = 0.02
# Proxies up to which everything is walked in less than 50 ms.
_SMALL_FLEET: Final = 500
# Between two rounds the collector begins by itself after so many objects; a full collection never does.
_THRESHOLD: Final = (2_000, 5, 1_000_000)


async def tune_memory(fleet: Fleet) -> None:
    """Keep the collector from pausing every proxy: run this beside the server, until cancelled.

    What a stream needs (a hundred objects) lives as long as its connection and is freed at its end without
    the collector, so that to walk it finds nothing. Left to itself the collector counts what was made less
    what was freed: thousands of objects that a push or a reconnect only renews all wait for one collection.
    Here it comes by the clock too, in small steps, and what was found alive is set aside (``gc.freeze``)
    before it is too much to walk; it is looked at again when the fleet is small. A garbage cycle that was set
    aside keeps its memory until then. Changes the settings of the whole process.
    """
    threshold, walking = gc.get_threshold(), _Walking()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLD)
    gc.callbacks.append(walking)
    try:
        for number in count(1):
            await asyncio.sleep(_ROUND)
            full = number % _FULL_ROUNDS == 0
            if full and len(fleet) <= _SMALL_FLEET:
                gc.unfreeze()
            gc.collect(2 if full else 1)
            if walking.seconds > _WALK:
                gc.freeze()
                walking.seconds = 0.0
    finally:
        gc.callbacks.remove(walking)
        gc.set_threshold(*threshold)
        gc.unfreeze()


class _Walking:
    """CPU seconds that collections took."""

    def __init__(self) -> None:
        self.seconds = self._begun = 0.0

    def __call__(self, phase: str, _info: Mapping[str, int]) -> None:
        now = time.thread_time()
        if phase == "start":
            self._begun = now
        else:
            self.seconds += now - self._begun
