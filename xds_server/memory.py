"""Garbage collection under thousands of streams."""

from __future__ import annotations

import gc
from typing import Final

from .fleet import Fleet

# Young objects are collected in small steps, each a few milliseconds; a full collection is never due by
# itself.
_THRESHOLD: Final = (2_000, 5, 1_000_000)
_ENDED_STREAMS: Final = 2_000


def tune_memory(fleet: Fleet) -> None:
    """Keep the collector from pausing every proxy: call it once, when the server has started.

    What a stream needs lives as long as its connection, so that a full collection walks all of it (a hundred
    objects a proxy) and finds nothing. Only a stream's end leaves garbage (gRPC's own reference cycles, a few
    KB): a full collection is made when as many streams have ended as are connected, and at least 2,000.
    Changes the settings of the whole process.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLD)
    ended = 0

    def count() -> None:
        nonlocal ended
        ended += 1
        if ended >= max(_ENDED_STREAMS, len(fleet)):
            ended = 0
            gc.collect()

    fleet.on_leave(count)
