"""What a decision looks at, and what it says when there is nothing to decide yet."""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.model.traffic_report import TrafficReport
from bluegreen.rollout.analysis.observation import Observation


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before the facts change, or before `until` (seconds since the epoch; None: open)."""

    sentence: str
    until: float | None = None
    urgent: bool = False  # something is under way, so a change of facts may be what it waits for


@dataclass(frozen=True, slots=True)
class Look:
    """The facts of one moment."""

    report: TrafficReport
    now: float
    no_deadline_before: float
    observation: Observation | None = None

    def deadline(self, at: float) -> float:
        """When a deadline for the proxies ends."""
        return max(at, self.no_deadline_before)

    def is_over(self, at: float | None) -> bool:
        return at is not None and self.now >= self.deadline(at)
