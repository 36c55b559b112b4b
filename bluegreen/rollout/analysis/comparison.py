"""The two revisions' error counts, compared as they come in."""

from __future__ import annotations

from collections.abc import Callable
from math import floor

from bluegreen.model.revision_figures import ServiceFigures
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout.analysis.condition_verdict import unheard
from bluegreen.rollout.analysis.sequential_test import Counts, SequentialTest

FiguresSince = Callable[[float], ServiceFigures]
"""The figures from a moment (seconds since the epoch) until now."""

NAME = "compare: statistical"

EDGE = 10.0
MOVED_AFTER = 30.0
OVERLAP = 10.0
"""Seconds. Old figures are kept in coarser and coarser stretches, and not for long; so what they are counted
from is moved up every MOVED_AFTER, to a multiple of EDGE, far enough back that reports which are on their way
still count."""


class Comparison:
    """Feeds the test with what has come in since the last look, each answer once."""

    def __init__(self, test: SequentialTest, candidate: int, active: int, since: float) -> None:
        self.test = test
        self._candidate = candidate
        self._active = active
        self._from = since
        self._counted = {candidate: Counts(), active: Counts()}

    def look(self, figures_since: FiguresSince, now: float, min_requests: int) -> Finding:
        figures = figures_since(self._from)
        self.test = self.test.add(self._new(figures, self._candidate), self._new(figures, self._active))
        if now - self._from > MOVED_AFTER:
            self._from = floor((now - OVERLAP) / EDGE) * EDGE
            later = figures_since(self._from)
            self._counted = {revision: _counts(later, revision) for revision in self._counted}
        return self._finding(figures, min_requests)

    def _new(self, figures: ServiceFigures, revision: int) -> Counts:
        """Figures fall when old ones are merged or forgotten; nothing counts twice when they grow again."""
        now, before = _counts(figures, revision), self._counted[revision]
        highest = Counts(max(now.answers, before.answers), max(now.failures, before.failures))
        self._counted[revision] = highest
        answers = highest.answers - before.answers
        return Counts(answers, min(answers, highest.failures - before.failures))

    def _finding(self, figures: ServiceFigures, min_requests: int) -> Finding:
        test = self.test
        summary = (
            f"{_share(test.candidate)} failed, of the active revision's {_share(test.active)}; the evidence "
            f"that it fails more often is {test.evidence:.3g}, the alarm is at {test.needed:g}"
        )
        if test.alarm:
            return Finding(NAME, Verdict.FAIL, summary)
        missing = max(1, min_requests) - min(test.candidate.answers, test.active.answers)
        if missing > 0:
            return Finding(NAME, Verdict.INCONCLUSIVE, f"{summary}; {missing} answers too few to pass")
        if figures.unheard:
            return Finding(NAME, Verdict.INCONCLUSIVE, f"{summary}; and {unheard(figures)}")
        return Finding(NAME, Verdict.PASS, summary)


def _counts(figures: ServiceFigures, revision: int) -> Counts:
    known = figures.revisions.get(revision)
    return Counts(known.answers, known.failures) if known is not None else Counts()


def _share(counts: Counts) -> str:
    return f"{counts.percent:.3f} % of {counts.answers} answers"
