"""One figure of a proxy's report."""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.switches.envoy.names import ClusterName, ListenerName


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure of a report: its name without the variable parts, which are in `cluster`, `listener` and
    `class_` where it has them. A histogram is one interval: {upper bound in ms: requests in the bucket}."""

    name: str
    value: float = 0.0
    cluster: ClusterName | None = None
    listener: ListenerName | None = None
    class_: int | None = None
    histogram: dict[float, int] | None = None
