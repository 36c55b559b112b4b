"""Small Protobuf values that every translator needs."""

from __future__ import annotations

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message


def packed(message: Message) -> Any:
    """The message in an Any, under its type URL; equal messages give equal bytes."""
    holder = Any()
    holder.Pack(message, deterministic=True)
    return holder


def duration(seconds: float) -> Duration:
    """Seconds to the nanosecond."""
    value = Duration()
    value.FromNanoseconds(round(seconds * 1_000_000_000))
    return value
