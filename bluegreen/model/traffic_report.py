"""What the data plane has acknowledged and reports about one service: the facts that decisions go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LoadReading:
    """One report of a proxy about one backend. `at` is seconds since the epoch, when it arrived."""

    at: float
    active: int  # requests under way
    pending: int  # requests that wait for a connection

    @property
    def is_idle(self) -> bool:
        return self.active == 0 and self.pending == 0


@dataclass(frozen=True, slots=True)
class RequestFigures:
    """Requests as a proxy, or several together, count them. Latencies in milliseconds, None: unknown."""

    requests: int = 0
    responses_by_class: Mapping[int, int] = field(default_factory=dict)  # 2: 2xx, ... 5: 5xx
    active: int = 0
    per_second: float = 0.0  # over the last seconds
    p50: float | None = None
    p99: float | None = None

    @property
    def failures(self) -> int:
        return self.responses_by_class.get(5, 0)


@dataclass(frozen=True, slots=True)
class BackendReport:
    """One revision on one proxy.

    `acknowledged`: the proxy acknowledged the present cluster and endpoints, or proves by its statistics
    that it uses them. `healthy` and `warming` are None until the proxy has reported. `readings`, oldest
    first, are the newest few.
    """

    revision: int
    acknowledged: bool = False
    acknowledged_at: float | None = None
    healthy: int | None = None
    warming: bool | None = None
    readings: tuple[LoadReading, ...] = ()
    active: int = 0  # requests under way, as it last reported


@dataclass(frozen=True, slots=True)
class ProxyReport:
    """One known proxy of the service's gateways.

    `routes_acknowledged_at` is None until the proxy has acknowledged the service's present routes and
    weights; `clusters_acknowledged_at` until it has acknowledged the present set of clusters, so that it
    holds none that was withdrawn; `endpoints_acknowledged_at` until it has the present endpoints. All are
    seconds since the epoch. `silent`: it is not connected or has not
    reported of late, so that what it has under way is not known.
    """

    proxy: str
    gateway: str
    connected: bool
    routes_acknowledged_at: float | None = None
    clusters_acknowledged_at: float | None = None
    endpoints_acknowledged_at: float | None = None
    rejected: str | None = None  # what it said when it refused the present state
    listener_rejected: str | None = None  # the same of its gateway's listeners, where the routes arrived
    silent: bool = False
    has_namesake: bool = False  # another Envoy reports under the same id: their figures are mixed
    backends: Mapping[int, BackendReport] = field(default_factory=dict)

    @property
    def has_routes(self) -> bool:
        return self.routes_acknowledged_at is not None


@dataclass(frozen=True, slots=True)
class TrafficReport:
    """Every known proxy of a service's gateways, connected or not, in the order of their names.

    `figures` holds the requests per revision, all proxies together: what was ever counted, and what is under
    way on those that are not silent. `unattributed_5xx` counts the 5xx of
    the service's gateways that no revision answered (a missing route or cluster).
    """

    proxies: tuple[ProxyReport, ...] = ()
    figures: Mapping[int, RequestFigures] = field(default_factory=dict)
    unattributed_5xx: int = 0
