"""A strategy as the service file writes it: `atomic`, or steps."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from bluegreen.admin.service_file.entry import Entry
from bluegreen.admin.service_file.fields import Pause, Timespan
from bluegreen.model.strategy import OnSilent, Step, Strategy

ATOMIC = "atomic"

_STRATEGY = Strategy()

Percent = Annotated[int, Field(ge=1, le=100)]


class StepEntry(Entry):
    """The candidate's percent of the traffic, and how long to stay there; a number is the percent."""

    percent: Percent
    pause: Pause = None
    """By default the strategy's."""
    approval: bool = False
    """Stay there until somebody approves of going on, however long it has paused."""

    @model_validator(mode="after")
    def _end_without_pause(self) -> StepEntry:
        if self.percent == 100 and self.pause is not None:
            raise ValueError("the step of 100 percent is the end: it has no pause.")
        if self.percent == 100 and self.approval:
            raise ValueError("the step of 100 percent is the end: approval is for the step before it.")
        return self

    def build(self, pause: float | None) -> Step:
        if self.percent == 100:
            return Step(100)
        own = "pause" in self.model_fields_set
        return Step(self.percent, self.pause if own else pause, self.approval)


def _from_number(value: Any) -> Any:
    return {"percent": value} if isinstance(value, int) and not isinstance(value, bool) else value


StepOrPercent = Annotated[
    StepEntry, BeforeValidator(_from_number, json_schema_input_type=Percent | StepEntry)
]


class StrategyEntry(Entry):
    """How fast the traffic moves."""

    steps: list[StepOrPercent] = Field(
        default_factory=lambda: [StepEntry(percent=100)], min_length=1, max_length=100
    )
    """Growing, the last one 100."""
    pause: Pause = None
    """Of the steps that name none. manual, the default: until the next `promote`."""
    step_deadline: Timespan = _STRATEGY.step_deadline
    """For every proxy to acknowledge a step; then the rollout does as on_silent says."""
    on_silent: Annotated[OnSilent, Field(strict=False)] = _STRATEGY.on_silent
    """pause: until an operator resumes or aborts. turn-back: the weights return by themselves."""
    ready_deadline: Timespan = _STRATEGY.ready_deadline
    """For every proxy to report a new deployment healthy; then the deployment has failed."""

    @field_validator("steps")
    @classmethod
    def _growing_to_100(cls, steps: list[StepEntry]) -> list[StepEntry]:
        percents = [step.percent for step in steps]
        if percents[-1] != 100 or any(after <= before for before, after in pairwise(percents)):
            shown = ", ".join(map(str, percents))
            raise ValueError(f"the percents must grow and end with 100, such as 10, 50, 100; not {shown}.")
        return steps

    def build(self) -> Strategy:
        steps = tuple(step.build(self.pause) for step in self.steps)
        return Strategy(steps, self.step_deadline, self.ready_deadline, self.on_silent)


def _from_word(value: Any) -> Any:
    if isinstance(value, str):
        if value != ATOMIC:
            raise ValueError(f"write {ATOMIC}, or steps such as {{steps: [10, 50, 100], pause: manual}}.")
        return {}
    return value


StrategyOrAtomic = Annotated[
    StrategyEntry, BeforeValidator(_from_word, json_schema_input_type=Literal["atomic"] | StrategyEntry)
]
