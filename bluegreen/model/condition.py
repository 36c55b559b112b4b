"""One thing that must hold while a version takes traffic, such as `p99 <= 1.2 x active`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Metric(StrEnum):
    """What can be asked of a revision's requests within the window, all proxies together."""

    SUCCESS_RATE = "success_rate"  # percent of the answers that are no failure
    ERROR_RATE = "error_rate"  # percent of the answers that are: 5xx, for gRPC also statuses of the server
    RESET_RATE = "reset_rate"  # streams that the instances reset, and broken connections, in % of the answers
    CONNECT_FAILURE_RATE = "connect_failure_rate"  # connections that failed or timed out, in % of the answers
    P50 = "p50"  # latency in milliseconds
    P90 = "p90"
    P99 = "p99"
    REQUEST_RATE = "request_rate"  # answers a second
    GATEWAY_ERROR_RATE = "gateway_error_rate"  # 5xx of the gateways that no revision answered, in % of theirs


class Comparison(StrEnum):
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Condition:
    """`text` is how it was written. `of_active`: the threshold is a factor of the active revision's figure
    over the same time."""

    text: str
    metric: Metric
    comparison: Comparison
    threshold: float
    of_active: bool = False
