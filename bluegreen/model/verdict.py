"""What a gate says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAXIMUM_OUTPUT = 16_384
"""Characters that are kept of what a command printed or a server answered: the last ones."""


class Verdict(StrEnum):
    """Ordered by how much each weighs when several are taken together: see `worst`."""

    PASS = "pass"  # noqa: S105 - a verdict
    INCONCLUSIVE = "inconclusive"  # too little is known: it pauses, and never passes
    ERROR = "error"  # the check itself could not be made: never a pass either
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict with what it was taken on: `summary` is a sentence without its full stop, `output` what a
    command printed or a server answered (at most MAXIMUM_OUTPUT characters)."""

    name: str
    verdict: Verdict
    summary: str
    output: str = ""
    seconds: float = 0.0  # that it took to find out


_WEIGHTS = {verdict: weight for weight, verdict in enumerate(Verdict)}


def worst(verdicts: list[Verdict]) -> Verdict:
    """All taken together; nothing at all is inconclusive."""
    return max(verdicts, key=_WEIGHTS.__getitem__, default=Verdict.INCONCLUSIVE)
