"""Watches whichever version of a service takes new traffic, a stretch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.analysis import Analysis, Source
from bluegreen.model.traffic_switch import TrafficSwitch
from bluegreen.model.verdict import Finding
from bluegreen.rollout.analysis.observation import Observation
from bluegreen.rollout.analysis.stretch import Stretch, stretch_of
from bluegreen.rollout.analysis.watch import Watch
from bluegreen.rollout.clock import Clock


class Watcher:
    """Holds what was seen of the present stretch. It is not durable: after a restart a stretch is watched
    from then on, and nothing is concluded before enough was seen."""

    def __init__(self, switch: TrafficSwitch, clock: Clock) -> None:
        self._switch, self._clock = switch, clock
        self._stretch: Stretch | None = None
        self._analysis: Analysis | None = None
        self._watch: Watch | None = None
        self._begun = 0.0

    @property
    def next_look_at(self) -> float | None:
        """Seconds since the epoch; None: nothing is watched."""
        return self._watch.next_look_at() if self._watch is not None else None

    def look(self, aggregate: ServiceAggregate) -> Observation | None:
        """What has been seen up to now, with another look at the figures if it is time for one."""
        self._turn_to(aggregate)
        if self._watch is None or self._stretch is None:
            return None
        now = self._clock.now()
        if self._watch.is_look_due(now):
            self._watch.look(partial(self._switch.figures, aggregate.name), now)
        return Observation(
            stretch=self._stretch,
            begun=self._begun,
            verdict=self._watch.verdict,
            is_undecided=self._watch.is_undecided,
            findings=self._watch.findings,
            first_bad_at=self._watch.first_bad_at,
            tally=self._watch.tally,
        )

    def due_sources(self) -> Sequence[tuple[Source, int]]:
        """The sources that are to be asked now, each with the revision it is asked about."""
        if self._watch is None or self._stretch is None:
            return ()
        return [(source, self._stretch.candidate) for source in self._watch.due_sources(self._clock.now())]

    def take(self, stretch: Stretch | None, source: str, finding: Finding) -> None:
        """What a source said about a stretch; about one that is over it is not heard any more. Nor is one
        that was asked before the analysis was changed, in the midst of a stretch: the very same one is
        meant, not one that is equal."""
        if self._watch is not None and stretch is self._stretch:
            self._watch.take(source, finding, self._clock.now())

    @property
    def stretch(self) -> Stretch | None:
        return self._stretch

    def _turn_to(self, aggregate: ServiceAggregate) -> None:
        stretch, analysis = stretch_of(aggregate), aggregate.service.gates.analysis
        if stretch == self._stretch and analysis == self._analysis:
            return
        before, goes_on = self._stretch, analysis == self._analysis
        self._stretch, self._analysis, self._begun = stretch, analysis, self._clock.now()
        if stretch is None or analysis is None:
            self._watch = None
        elif self._watch is not None and goes_on and before is not None and before.rollout == stretch.rollout:
            self._watch = self._watch.again(stretch.active, stretch.since)
        else:
            self._watch = Watch(analysis, stretch.candidate, stretch.active, stretch.since)
        if self._watch is not None and not _goes_on(before, stretch):
            self._watch.reach_back()


def _goes_on(before: Stretch | None, stretch: Stretch | None) -> bool:
    """Whether it is the same step or time as before: what was seen of it is not to count again, since
    somebody has said to go on, or since another analysis was applied."""
    if before is None or stretch is None:
        return False
    return (before.rollout, before.step) == (stretch.rollout, stretch.step)
