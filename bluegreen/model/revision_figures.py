"""What a revision's requests were like within a stretch of time, all proxies together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RevisionFigures:
    """Counts of the production requests; those of the preview, and copies of a mirror, are not among them.

    `answers` are requests that were answered to their end or failed; one that its client gave up is none.
    `failures` among them: 5xx, those that the gateway answered for want of an instance included, and gRPC
    statuses that are the server's fault. `latencies`: {upper bound in milliseconds: answers at most this
    slow}, not cumulative. `seconds`: the stretch that is known of.
    """

    seconds: float = 0.0
    answers: int = 0
    failures: int = 0
    resets: int = 0
    connect_failures: int = 0
    latencies: Mapping[float, int] = field(default_factory=dict)
    first_failure_at: float | None = None  # seconds since the epoch, when it was reported


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """By revision. `unheard` are proxies of the service's gateways whose reports are missing: what they count
    is unknown, not zero. `gateway_answers` and `gateway_failures` are all answers of the service's gateways,
    and the 5xx among them that no revision answered."""

    revisions: Mapping[int, RevisionFigures] = field(default_factory=dict)
    unheard: tuple[str, ...] = ()
    gateway_answers: int = 0
    gateway_failures: int = 0
