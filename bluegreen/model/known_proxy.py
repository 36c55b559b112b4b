"""A proxy that has been seen is known until it is forgotten."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownProxy:
    """Durable: after a restart nobody is connected, and a barrier over nobody must not pass.

    Times are seconds since the epoch.
    """

    id: str  # node.id
    gateway: str  # node.cluster
    version: str  # Envoy's, empty where unknown
    first_seen: float
    last_seen: float
