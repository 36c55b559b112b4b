"""What passes while nobody listens says nothing about the proxies: deadlines wait for them after a start."""

from __future__ import annotations

from bluegreen.model.traffic_report import TrafficReport

RECONNECT_GRACE = 15.0
"""Seconds after a start in which a proxy that is not back yet costs no deadline: an Envoy with our bootstrap
tries again at least each five."""

SETTLING = 5.0
"""Seconds after which a fleet that is back has acknowledged what it is told and reported a few times."""


class ReconnectGrace:
    """From a start, at `started` (seconds since the epoch), until the known fleet has been back for a moment;
    it ends once and for all."""

    def __init__(self, started: float) -> None:
        self._until = started + RECONNECT_GRACE

    def no_deadline_before(self, report: TrafficReport, now: float) -> float:
        """The earliest end of any deadline for the proxies, as is known by now."""
        if all(proxy.connected for proxy in report.proxies):
            self._until = min(self._until, now + SETTLING)
        return self._until
