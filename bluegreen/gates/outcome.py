"""What one check found, before it is known as what and how long it took."""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict with the sentence (without its full stop) and the output it rests on."""

    verdict: Verdict
    summary: str
    output: str = ""

    @property
    def has_passed(self) -> bool:
        return self.verdict is Verdict.PASS
