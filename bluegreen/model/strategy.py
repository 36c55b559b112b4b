"""How fast the traffic moves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Step:
    """One stop of a rollout: the candidate's percent of the traffic, and how long to stay there.

    `pause` is in seconds; None waits until an operator promotes. The last step, 100, has no pause.
    `approval`: it is not left before somebody has approved that.
    """

    percent: int
    pause: float | None = None
    approval: bool = False


class OnSilent(StrEnum):
    """What becomes of a rollout when a proxy has not acknowledged a step within its deadline."""

    PAUSE = "pause"
    TURN_BACK = "turn-back"


@dataclass(frozen=True, slots=True)
class Strategy:
    """The steps of a rollout, growing, the last being 100; a single step is the atomic switch.

    `step_deadline`: seconds that a step may wait for the acknowledgement of every proxy before the
    rollout pauses or turns back (`on_silent`), naming the silent ones. `ready_deadline`: seconds that a
    deployment may take until every proxy reports its instances healthy.
    """

    steps: tuple[Step, ...] = (Step(100),)
    step_deadline: float = 30.0
    ready_deadline: float = 120.0
    on_silent: OnSilent = OnSilent.PAUSE
