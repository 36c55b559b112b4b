"""What the facts prove. Every barrier stands here, as a pure reduction of (target, facts).

The target is always the known fleet, connected or not: a barrier over nobody does not pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from bluegreen.model.deployment import Deployment
from bluegreen.model.service import Drain
from bluegreen.model.traffic_report import BackendReport, ProxyReport, TrafficReport

STALE_AFTER = 15.0
"""Seconds after which a report proves nothing any more: three of the longest interval that is of use."""

IDLE_READINGS = 3
"""Consecutive readings without a request that prove a proxy idle: one alone can fall between two requests."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """Whether all have passed, and if not, what is missing for each that lags (by proxy, as a sentence)."""

    target: int
    missing: tuple[tuple[str, str], ...] = ()
    first_at: float | None = None
    last_at: float | None = None

    @property
    def passed(self) -> bool:
        return self.target > 0 and not self.missing

    @property
    def skew(self) -> float:
        """Seconds between the first and the last."""
        return (self.last_at or 0.0) - (self.first_at or 0.0)

    def __str__(self) -> str:
        if self.target == 0:
            return (
                "no proxy of the service's gateways is known yet: start an Envoy with `bluegreen bootstrap`"
            )
        if self.passed:
            return "the one proxy" if self.target == 1 else f"all {self.target} proxies"
        shown = "; ".join(f"{proxy} {what}" for proxy, what in self.missing[:5])
        more = f"; and {len(self.missing) - 5} more" if len(self.missing) > 5 else ""
        return f"{self.target - len(self.missing)} of {self.target} proxies; {shown}{more}"


def routes_acknowledged(report: TrafficReport) -> Barrier:
    """Every known proxy has acknowledged the present routes and weights."""

    def missing(proxy: ProxyReport) -> str | None:
        if proxy.rejected is not None:
            return f"has rejected the routes: {proxy.rejected}"
        if not proxy.has_routes:
            return _silent(proxy, "has not acknowledged the routes")
        return None

    barrier = _barrier(report.proxies, missing)
    times = [proxy.routes_acknowledged_at for proxy in report.proxies if proxy.routes_acknowledged_at]
    return Barrier(barrier.target, barrier.missing, min(times, default=None), max(times, default=None))


def endpoints_acknowledged(report: TrafficReport) -> Barrier:
    """Every known proxy has acknowledged the present endpoints."""

    def missing(proxy: ProxyReport) -> str | None:
        if proxy.endpoints_acknowledged_at is None:
            return _silent(proxy, "has not acknowledged the endpoints")
        return None

    barrier = _barrier(report.proxies, missing)
    times = [proxy.endpoints_acknowledged_at for proxy in report.proxies if proxy.endpoints_acknowledged_at]
    return Barrier(barrier.target, barrier.missing, min(times, default=None), max(times, default=None))


def withdrawn(report: TrafficReport) -> Barrier:
    """Every known proxy has acknowledged routes and clusters without what was withdrawn."""

    def missing(proxy: ProxyReport) -> str | None:
        if proxy.clusters_acknowledged_at is None or not proxy.has_routes:
            return _silent(proxy, "has not acknowledged the removal")
        return None

    return _barrier(report.proxies, missing)


def reachable(
    report: TrafficReport, deployment: Deployment, now: float, min_healthy: float = 100.0
) -> Barrier:
    """Every known proxy has the deployment's clusters, warmed, with at least `min_healthy` percent of its
    instances healthy, and has said so of late."""
    expected = ceil(deployment.expected * min_healthy / 100)

    def missing(proxy: ProxyReport) -> str | None:
        if proxy.rejected is not None:
            return f"has rejected it: {proxy.rejected}"
        backend = proxy.backends.get(deployment.revision)
        if backend is None or not backend.acknowledged:
            return _silent(proxy, "has not acknowledged its clusters")
        if not proxy.connected:
            return "is not connected"
        return _unhealthy(backend, expected, now) or _outdated(deployment, expected)

    return _barrier(report.proxies, missing)


def has_capacity(report: TrafficReport, deployment: Deployment, now: float) -> Barrier:
    """Every connected proxy sees all of the deployment's instances healthy."""

    def missing(proxy: ProxyReport) -> str | None:
        backend = proxy.backends.get(deployment.revision)
        if backend is None:
            return "has reported no statistics of it yet"
        return _unhealthy(backend, deployment.expected, now) or _outdated(deployment, deployment.expected)

    return _barrier([proxy for proxy in report.proxies if proxy.connected], missing)


def _unhealthy(backend: BackendReport, expected: int, now: float) -> str | None:
    if backend.healthy is None or not backend.readings:
        return "has reported no statistics of it yet"
    age = now - backend.readings[-1].at
    if age > STALE_AFTER:
        return f"has reported nothing for {age:.0f} s"
    if backend.warming:
        return "is still warming it"
    if backend.healthy < expected:
        return f"sees {backend.healthy} of {expected} instances healthy"
    return None


def _outdated(deployment: Deployment, expected: int) -> str | None:
    """A proxy reports once in a while. Where fewer instances are up, as whoever provides them says, one that
    sees all of them healthy has yet to report."""
    if deployment.provisioning is None or deployment.up >= expected:
        return None
    return f"has yet to report that only {deployment.up} of {expected} instances are up"


def seen_dead(report: TrafficReport, deployment: Deployment) -> list[str]:
    """The connected proxies that report not one healthy instance of the deployment. One that reports nothing
    is not among them: for a way back, no news must not stand in the way."""
    return [
        proxy.proxy
        for proxy in report.proxies
        if proxy.connected
        and (backend := proxy.backends.get(deployment.revision)) is not None
        and backend.healthy == 0
    ]


def drained(report: TrafficReport, deployment: Deployment, drain: Drain) -> Barrier:
    """Every known proxy has acknowledged routes that give the deployment nothing, and has since, after the
    grace, reported it without active or pending requests on consecutive readings."""

    def missing(proxy: ProxyReport) -> str | None:
        if proxy.routes_acknowledged_at is None:
            return _silent(proxy, "has not acknowledged the routes")
        backend = proxy.backends.get(deployment.revision)
        since = max(proxy.routes_acknowledged_at, deployment.status_since) + drain.grace
        readings = [each for each in backend.readings if each.at > since] if backend else []
        last = readings[-IDLE_READINGS:]
        if len(last) == IDLE_READINGS and all(each.is_idle for each in last):
            return None
        if not proxy.connected:
            return "is not connected, so it has not proved itself idle"
        if last and not last[-1].is_idle:
            return f"has {last[-1].active + last[-1].pending} requests under way"
        return "has not yet reported often enough that it is idle"

    return _barrier(report.proxies, missing)


@dataclass(frozen=True, slots=True)
class Pinned:
    """Requests still under way on a revision; `unknown` proxies have not said."""

    requests: int
    unknown: tuple[str, ...]

    def __str__(self) -> str:
        held = f"{self.requests} request{'' if self.requests == 1 else 's'} still under way"
        return f"{held}, not known of {', '.join(self.unknown[:5])}" if self.unknown else held


def pinned(report: TrafficReport, revision: int) -> Pinned:
    """What the proxies, by their last readings, still have under way on a revision. What one that is gone
    said last says nothing of now: it goes on by the weights that it has."""
    requests, unknown = 0, []
    for proxy in report.proxies:
        backend = proxy.backends.get(revision)
        if not proxy.connected:
            unknown.append(proxy.proxy)
        elif backend is not None and backend.readings:
            requests += backend.readings[-1].active + backend.readings[-1].pending
    return Pinned(requests, tuple(unknown))


def _silent(proxy: ProxyReport, what: str) -> str:
    return what if proxy.connected else f"is not connected and {what}"


def _barrier(proxies: Sequence[ProxyReport], missing: Callable[[ProxyReport], str | None]) -> Barrier:
    lagging = ((proxy.proxy, missing(proxy)) for proxy in proxies)
    return Barrier(len(proxies), tuple((name, what) for name, what in lagging if what is not None))
