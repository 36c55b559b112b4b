"""Moving the traffic from the active deployment to a candidate, and back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bluegreen.model.strategy import Step


class RolloutKind(StrEnum):
    PROMOTE = "promote"
    ROLLBACK = "rollback"


class Outcome(StrEnum):
    COMPLETED = "completed"
    ABORTED = "aborted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Rollout:
    """A durable record of intent: with it and the facts, any process can go on.

    Times are seconds since the epoch. `percent` is what the proxies are told; `acknowledged_at` is None
    until every known proxy has acknowledged it.
    """

    id: int  # numbered per service, from 1
    service: str
    kind: RolloutKind
    candidate: int  # revision
    previous: int | None  # revision; None for the first promotion of a service
    steps: tuple[Step, ...]
    started_at: float
    step: int = -1  # index into steps; -1: the candidate is being proved once more, no weight has moved
    percent: int = 0
    set_at: float = 0.0  # when the present percent was decided
    watched_since: float = 0.0  # what the analysis of the present step looks back to
    acknowledged_at: float | None = None
    paused: str | None = None  # why it stands still until an operator resumes
    turning_back: str | None = None  # why the weights return to the previous deployment
    outcome: Outcome | None = None
    finished_at: float | None = None
    # Seconds from the command to the last acknowledgement of the last weights, and between first and last.
    seconds_to_last_ack: float | None = None
    skew: float | None = None
    # When the first bad answer of the candidate was reported that led to its being turned back.
    first_bad_at: float | None = None

    @property
    def is_open(self) -> bool:
        return self.finished_at is None

    @property
    def is_last_step(self) -> bool:
        return self.step == len(self.steps) - 1

    @property
    def goes_on(self) -> bool:
        """Whether the next step comes without another word: its turn is there, or it was promoted by hand."""
        stands = self.paused is not None or self.turning_back is not None or self.is_last_step
        return self.current is not None and self.current.pause == 0.0 and not stands

    @property
    def seconds_from_first_bad(self) -> float | None:
        """From the first bad answer, as it was reported, to the last acknowledgement of the way back; None:
        not yet, or it was not turned back for that."""
        if self.first_bad_at is None or self.acknowledged_at is None:
            return None
        return max(0.0, self.acknowledged_at - self.first_bad_at)

    @property
    def current(self) -> Step | None:
        """The step that the weights stand at; None before the first."""
        return self.steps[self.step] if self.step >= 0 else None
