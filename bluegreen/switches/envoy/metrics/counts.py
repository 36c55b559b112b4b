"""What is counted of requests, and by which of Envoy's counters.

How Envoy (1.40) counts, as far as it matters here:

- An answer counts by its class when its headers arrive. One that was tried again counts nowhere in there; of
  all tries of a request only the last does. A request that its client gave up counts nowhere either.
- An answer that Envoy makes for want of one (no instance, cut short, timed out) counts as 5xx of the cluster.
  It has no latency.
- For a client that speaks gRPC such an answer is an HTTP 200 with a status, so that it counts twice: as 5xx
  and as UNAVAILABLE. A 5xx that an instance answers has no status, and counts once.
- A stream that is reset and a connection that ends under its requests are never counted for one cause, a
  connection once for all its requests. Those of health checks count nowhere.
- A connection that timed out is among those that failed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Figure(StrEnum):
    ANSWERS = "answers"
    ANSWERS_5XX = "answers_5xx"
    GRPC_ANSWERS = "grpc_answers"  # those that ended with a status
    GRPC_FAILURES = "grpc_failures"
    RESETS = "resets"
    CONNECT_FAILURES = "connect_failures"
    GATEWAY_FAILURES = "gateway_failures"
    MILLISECONDS = "milliseconds"  # that reports cover, each proxy's by itself


Counts = dict[Figure | float, int]
"""Growth by figure, and of the latency histogram by upper bound in milliseconds."""


@dataclass(frozen=True, slots=True)
class Growth:
    """By how much one proxy's counts have grown between two of its reports, at `began` and `at`: by service
    and revision, and that of its production listener."""

    began: float
    at: float
    revisions: dict[tuple[str, int], Counts] = field(default_factory=dict)
    listener: Counts = field(default_factory=dict)


# Statuses that are the server's fault: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and
# DATA_LOSS (grpc/grpc, doc/statuscodes.md).
_FAILED_STATUSES = (2, 4, 12, 13, 14, 15)

COUNTERS = {
    "cluster.upstream_rq_rx_reset": Figure.RESETS,
    "cluster.upstream_cx_destroy_remote_with_active_rq": Figure.RESETS,
    "cluster.upstream_cx_connect_fail": Figure.CONNECT_FAILURES,
    "cluster.grpc.total": Figure.GRPC_ANSWERS,
    **{f"cluster.grpc.{status}": Figure.GRPC_FAILURES for status in _FAILED_STATUSES},
}
"""Envoy's counters of a cluster, each under the figure that it adds to; those by class are not among them."""


def answers_5xx_alone(answers: int, fives: int, grpc_answers: int) -> int:
    """The 5xx among `fives` that did not end with a gRPC status as well: at most as many as there are answers
    without one."""
    return min(fives, max(0, answers - grpc_answers))


def merge(total: Counts, more: Counts) -> None:
    """Add to `total` what `more` holds."""
    for key, count in more.items():
        total[key] = total.get(key, 0) + count
