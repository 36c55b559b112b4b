"""A version that takes traffic is watched: look after look, until somebody asks for the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bluegreen.model.analysis import Analysis, Source
from bluegreen.model.condition import Condition, Metric
from bluegreen.model.revision_figures import ServiceFigures
from bluegreen.model.verdict import Finding, Verdict, worst
from bluegreen.rollout.analysis.comparison import NAME, Comparison, FiguresSince
from bluegreen.rollout.analysis.condition_verdict import Seen, judge, watched_conditions
from bluegreen.rollout.analysis.sequential_test import SequentialTest
from bluegreen.rollout.analysis.streak import Streak, Tally

_WITHOUT_FAILURES = {Metric.P50, Metric.P90, Metric.P99, Metric.REQUEST_RATE, Metric.GATEWAY_ERROR_RATE}
"""Metrics that can be bad although no answer of the candidate failed."""

_OF_THE_STRETCH_ALONE = {Metric.REQUEST_RATE, Metric.GATEWAY_ERROR_RATE}
"""Metrics that change with the division of the traffic, or are not the candidate's."""

REACH = 2.0
"""Seconds: two reports of the usual interval. A proxy's report is whole only where it began after what is
looked back to, and those of all proxies only one interval after that."""


class Watch:
    """Watches one stretch, in memory: a step of a rollout, or the time in which the old version stays warm.

    The stretch begins at `since`, from when on the division of the traffic does not change. `active` is the
    revision that the candidate is compared with; None where the candidate has it all. `test` is what a
    comparison has come to so far: see `again`. All times are seconds since the epoch.
    """

    def __init__(
        self,
        analysis: Analysis,
        candidate: int,
        active: int | None,
        since: float,
        test: SequentialTest | None = None,
    ) -> None:
        self._analysis = analysis
        self._candidate = candidate
        self._active = active
        self._since = self._answers_since = since
        self._conditions = tuple(dict.fromkeys(watched_conditions(analysis)))
        self._sources: dict[str, Source] = {source.name: source for source in analysis.sources}
        self._due = dict.fromkeys(self._sources, since)
        self._under_way: set[str] = set()
        self._next_look = since
        self._streaks = {
            name: Streak(Finding(name, Verdict.INCONCLUSIVE, "has not answered yet"))
            for name in self._sources
        }
        self._comparison: Comparison | None = None
        if analysis.comparing is not None and active is not None:
            test = test or SequentialTest(analysis.comparing)
            self._comparison = Comparison(test, candidate, active, since)
        self._first_failure_at: float | None = None
        self._failed_since: float | None = None

    def again(self, active: int | None, since: float) -> Watch:
        """A watch of the stretch that follows: of the next step, or after somebody has said to go on. The
        comparison goes on with what it knows, so that its false alarms are those of the whole rollout; one
        that has raised its alarm begins anew."""
        test = self._comparison.test if self._comparison is not None else None
        going_on = test if test is not None and not test.alarm else None
        return Watch(self._analysis, self._candidate, active, since, going_on)

    def reach_back(self) -> None:
        """Judge the candidate's answers by those of the REACH before the stretch as well. The first reports
        of a step began before it, and would tell nothing otherwise: that is a second in which a bad version
        goes on."""
        self._answers_since = self._since - REACH

    def next_look_at(self) -> float:
        """When there is something to do: a look, or a source to ask."""
        idle = [due for name, due in self._due.items() if name not in self._under_way]
        return min(self._next_look, *idle) if idle else self._next_look

    def is_look_due(self, now: float) -> bool:
        return now >= self._next_look

    def look(self, figures_since: FiguresSince, now: float) -> None:
        """Judge every condition, and compare. `figures_since(moment)` tells the figures from then until now,
        and is asked at most four times."""
        self._next_look = now + self._analysis.interval
        window = self._analysis.window
        begun, reached = (max(since, now - window) for since in (self._since, self._answers_since))
        figures = figures_since(begun)
        seen = Seen(figures, self._candidate, self._active, self._analysis.min_requests, window)
        answers = replace(seen, figures=figures_since(reached)) if reached < begun else seen
        self._note_first_failure(answers.figures)
        for condition in self._conditions:
            finding = judge(condition, seen if condition.metric in _OF_THE_STRETCH_ALONE else answers)
            if finding is not None:
                self._add(finding, self._bad_since(condition, now))
        if self._comparison is not None:
            finding = self._comparison.look(figures_since, now, self._analysis.min_requests)
            self._add(finding, self._first_failure_at or now)

    def due_sources(self, now: float) -> Sequence[Source]:
        """Those to be asked now. They count as under way until `take`, and are not told again."""
        due = [
            source
            for name, source in self._sources.items()
            if name not in self._under_way and now >= self._due[name]
        ]
        self._under_way.update(source.name for source in due)
        return due

    def take(self, source: str, finding: Finding, now: float) -> None:
        """What a source has answered, or that it has not (Verdict.ERROR). KeyError where it is unknown."""
        self._due[source] = now + self._sources[source].interval
        self._under_way.discard(source)
        self._add(replace(finding, name=source), now)

    @property
    def verdict(self) -> Verdict:
        """FAIL once a condition or a source has failed `failures` times in a row, or the comparison has
        raised its alarm, and it stays so. ERROR while a source has not answered `errors` times in a row. PASS
        where the last look of everything passed. Else INCONCLUSIVE."""
        if self._failed_since is not None:
            return Verdict.FAIL
        return worst([streak.verdict(self._analysis) for streak in self._streaks.values()])

    @property
    def is_undecided(self) -> bool:
        """Whether the next look, or a source that is under way, may make an INCONCLUSIVE verdict another one:
        something has begun to fail or not to answer, or has not been asked yet."""
        begun = any(streak.fails or streak.errors for streak in self._streaks.values())
        return self.verdict is Verdict.INCONCLUSIVE and (begun or bool(self._under_way))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The last of everything."""
        return tuple(streak.last for streak in self._streaks.values())

    @property
    def tally(self) -> Mapping[str, Tally]:
        """How often each verdict was found, by name of the finding."""
        return {name: streak.tally for name, streak in self._streaks.items()}

    @property
    def first_bad_at(self) -> float | None:
        """When what fails began to: the candidate's first failed answer of this stretch, as it was reported;
        where that is not what fails (latencies, sources), the first look of the row that found it."""
        if self._failed_since is not None:
            return self._failed_since
        return min(
            (each.bad_since for each in self._streaks.values() if each.bad_since is not None), default=None
        )

    def _add(self, finding: Finding, bad_since: float) -> None:
        streak = self._streaks.get(finding.name, Streak(finding)).add(finding, bad_since)
        self._streaks[finding.name] = streak
        is_alarm = finding.name == NAME and finding.verdict is Verdict.FAIL
        if self._failed_since is None and (is_alarm or streak.verdict(self._analysis) is Verdict.FAIL):
            self._failed_since = streak.bad_since

    def _bad_since(self, condition: Condition, now: float) -> float:
        if condition.metric in _WITHOUT_FAILURES or self._first_failure_at is None:
            return now
        return self._first_failure_at

    def _note_first_failure(self, figures: ServiceFigures) -> None:
        candidate = figures.revisions.get(self._candidate)
        if self._first_failure_at is None and candidate is not None:
            self._first_failure_at = candidate.first_failure_at
