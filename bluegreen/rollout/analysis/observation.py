"""What was seen of a version while it was watched, up to a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout.analysis.streak import Tally
from bluegreen.rollout.analysis.stretch import Stretch


@dataclass(frozen=True, slots=True)
class Observation:
    """`begun` is when this process began to watch the stretch: what was before is not known to it.
    `tally` counts the verdicts of all looks, by name of what was looked at. Times are seconds since the
    epoch."""

    stretch: Stretch
    begun: float
    verdict: Verdict
    is_undecided: bool = False  # the next looks may make an inconclusive verdict another one
    findings: tuple[Finding, ...] = ()
    first_bad_at: float | None = None
    tally: Mapping[str, Tally] = field(default_factory=dict)

    def worst(self, verdict: Verdict) -> str:
        """The findings of this verdict, or where there is none all that did not pass, as a sentence without
        its full stop: a first failure is not yet a verdict."""
        of_this = [each for each in self.findings if each.verdict is verdict]
        other = [each for each in self.findings if each.verdict is not Verdict.PASS]
        return "; ".join(each.summary for each in of_this or other)
