"""What was found of one thing, look after look."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bluegreen.model.analysis import Analysis
from bluegreen.model.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each verdict was found."""

    passes: int = 0
    fails: int = 0
    inconclusives: int = 0
    errors: int = 0

    def add(self, verdict: Verdict) -> Tally:
        match verdict:
            case Verdict.PASS:
                return replace(self, passes=self.passes + 1)
            case Verdict.FAIL:
                return replace(self, fails=self.fails + 1)
            case Verdict.INCONCLUSIVE:
                return replace(self, inconclusives=self.inconclusives + 1)
            case Verdict.ERROR:
                return replace(self, errors=self.errors + 1)


@dataclass(frozen=True, slots=True)
class Streak:
    """`tally` counts all verdicts, `fails` and `errors` those in a row. A look that shows nothing neither
    counts as a failure nor excuses the ones before it: only a pass does. `bad_since` is when what fails began
    to, in seconds since the epoch.
    """

    last: Finding
    tally: Tally = Tally()
    fails: int = 0
    errors: int = 0
    bad_since: float | None = None

    def add(self, finding: Finding, bad_since: float) -> Streak:
        """`bad_since` counts where this finding is the first failure of its row."""
        following = replace(self, last=finding, tally=self.tally.add(finding.verdict))
        match finding.verdict:
            case Verdict.PASS:
                return replace(following, fails=0, errors=0, bad_since=None)
            case Verdict.FAIL:
                began = bad_since if self.bad_since is None else self.bad_since
                return replace(following, fails=self.fails + 1, errors=0, bad_since=began)
            case Verdict.INCONCLUSIVE:
                return replace(following, errors=0)
            case Verdict.ERROR:
                return replace(following, errors=self.errors + 1)

    def verdict(self, analysis: Analysis) -> Verdict:
        if self.fails >= analysis.failures:
            return Verdict.FAIL
        if self.errors >= analysis.errors:
            return Verdict.ERROR
        return Verdict.PASS if self.last.verdict is Verdict.PASS else Verdict.INCONCLUSIVE
