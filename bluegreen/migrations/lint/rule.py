"""What the lint knows of a rule: what it weighs in each phase, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bluegreen.model.migration import Phase

LATER = "Do it in the contract of this change, once no version that uses it runs."
"""What to do instead of taking away in expand."""


class Weight(StrEnum):
    REFUSED = "refused"  # the phase is not run
    TOLD = "told"
    PASSED = "passed over"


class Ground(StrEnum):
    """Why there is the rule; it decides whether a comment `-- squawk-ignore RULE` has a say."""

    BREAKS = "breaks the running version"  # the comment has no say in expand
    LOCKS = "blocks production"
    HIDDEN = "cannot be looked into"
    FORM = "cannot be run"  # the comment has no say
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Rule:
    """`reason` and `safe_way` are whole sentences; the latter is empty where nothing better is known.
    A backfill is held to what expand is: the same versions run meanwhile."""

    name: str
    ground: Ground
    reason: str
    safe_way: str
    expand: Weight = Weight.REFUSED
    contract: Weight = Weight.REFUSED

    @property
    def spares_new(self) -> bool:
        """Whether it is about things that the running version knows: not about what the file creates."""
        return self.ground in (Ground.BREAKS, Ground.LOCKS)

    def weight(self, phase: Phase) -> Weight:
        return self.contract if phase is Phase.CONTRACT else self.expand

    def advice(self, phase: Phase) -> str:
        """The safe way, as it is told in this phase."""
        if phase is Phase.CONTRACT and self.safe_way == LATER:
            return "See to it that the version that is left does not need what was."
        return self.safe_way

    def can_be_ignored(self, phase: Phase) -> bool:
        match self.ground:
            case Ground.FORM:
                return False
            case Ground.BREAKS:
                return phase is Phase.CONTRACT
            case _:
                return True
