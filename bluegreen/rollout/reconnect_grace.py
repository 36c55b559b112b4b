"""What passes while nobody listens says nothing about the proxies: deadlines wait for them after a start, and
after a process that was stopped goes on."""

from __future__ import annotations

from bluegreen.model.traffic_report import TrafficReport

RECONNECT_GRACE = 15.0
"""Seconds after a start in which a proxy that is not back yet costs no deadline: an Envoy with our bootstrap
tries again at least each five."""

SETTLING = 5.0
"""Seconds after which a fleet that is back has acknowledged what it is told and reported a few times."""


LATE = 2.0
"""Seconds by which a look may come after the moment that was waited for. With more, nobody ran meanwhile
(SIGSTOP, a machine that is moved or starved), and what the proxies have said is not heard yet."""


class ReconnectGrace:
    """From a start, at `started` (seconds since the epoch), until the known fleet has been back for a moment;
    it ends once and for all, unless a look comes late."""

    def __init__(self, started: float) -> None:
        self._until = started + RECONNECT_GRACE
        self._due: float | None = None

    def next_look(self, due: float | None) -> None:
        """There is one at that moment, if not before; None: no moment is waited for."""
        self._due = due

    def no_deadline_before(self, report: TrafficReport, now: float) -> float:
        """The earliest end of any deadline for the proxies, as is known by now."""
        if self._due is not None and now > self._due + LATE:
            self._until = now + RECONNECT_GRACE
        self._due = None
        if all(proxy.connected for proxy in report.proxies):
            self._until = min(self._until, now + SETTLING)
        return self._until
