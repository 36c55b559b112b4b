"""Garbage collection under thousands of streams."""

from __future__ import annotations

import gc
from typing import Final

_THRESHOLD: Final = (50_000, 50, 1_000)


def tune_memory() -> None:
    """Keep the collector from walking everything again and again: call it once, when the server has started.

    A stream's objects live as long as its connection, and none of them is in a cycle once the stream has
    ended; the collector would find nothing in them and pause every proxy for it. What exists by now is left
    out of collections for good, and a full collection is made rare.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLD)
