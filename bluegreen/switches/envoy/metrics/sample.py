"""One figure of a proxy's report."""

from __future__ import annotations

from typing import NamedTuple

from bluegreen.switches.envoy.names import ClusterName, ListenerName


class Sample(NamedTuple):
    """One figure of a report: its name without the variable parts, which are in `cluster`, `listener` and
    `class_` where it has them. A histogram is one interval: {upper bound in ms: requests in the bucket}.
    A tuple: thousands of proxies report tens of thousands of figures a second."""

    name: str
    value: float = 0.0
    cluster: ClusterName | None = None
    listener: ListenerName | None = None
    class_: int | None = None
    histogram: dict[float, int] | None = None
