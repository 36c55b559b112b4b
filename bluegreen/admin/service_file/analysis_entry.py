"""How a version is watched, as the service file writes it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from bluegreen.admin.service_file.entry import Entry, incomplete
from bluegreen.admin.service_file.fields import Timespan
from bluegreen.admin.service_file.gate_fields import Count, at_least, up_to
from bluegreen.admin.service_file.problem import quote
from bluegreen.admin.service_file.source_entry import SourceEntry
from bluegreen.model.analysis import Analysis, Comparing, OnFinding
from bluegreen.model.condition import MAXIMUM_TEXT, Condition, parse_condition
from bluegreen.model.errors import InvalidInput

STATISTICAL = "statistical"

_ANALYSIS = Analysis()
_COMPARING = Comparing()

_LONGEST_WINDOW = 600.0  # seconds
_SHORTEST_INTERVAL = 0.1


def _condition(value: object) -> Condition:
    if not isinstance(value, str):
        raise ValueError(f"{quote(value)} is no condition: write one such as success_rate >= 99.9.")
    try:
        return parse_condition(re.sub(r"\s", " ", value))
    except InvalidInput as error:
        raise ValueError(str(error)) from None


ConditionText = Annotated[
    Condition,
    PlainValidator(_condition),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAXIMUM_TEXT}),
]


class StatisticalEntry(Entry):
    """Compare the error counts of both versions by a sequential test."""

    false_alarms: Annotated[float, Field(ge=0.000_001, le=0.5)] = _COMPARING.false_alarms
    """The chance, over a whole rollout, that two equal versions are told apart."""
    at_least: Annotated[float, Field(ge=1, le=1000)] = _COMPARING.at_least
    """An alarm takes more than so many times the error rate of the active version."""

    def build(self) -> Comparing:
        return Comparing(self.false_alarms, self.at_least)


class CompareEntry(Entry):
    """How the candidate is compared with the active version."""

    statistical: StatisticalEntry


def _from_word(value: Any) -> Any:
    if isinstance(value, str):
        if value != STATISTICAL:
            raise ValueError(f"write {STATISTICAL}, or {{{STATISTICAL}: {{false_alarms: 0.01}}}}.")
        return {STATISTICAL: {}}
    return value


CompareOrWord = Annotated[
    CompareEntry,
    BeforeValidator(_from_word, json_schema_input_type=Literal["statistical"] | CompareEntry),
]


class AnalysisEntry(Entry):
    """How a version is watched while it takes traffic: by conditions, sources, or a comparison."""

    window: Annotated[Timespan, up_to(_LONGEST_WINDOW)] = _ANALYSIS.window
    """What is looked at: the requests of so long, within the present step."""
    interval: Annotated[Timespan, up_to(_LONGEST_WINDOW), at_least(_SHORTEST_INTERVAL)] = _ANALYSIS.interval
    """Between two looks."""
    min_requests: Annotated[int, Field(ge=1, le=10**9)] = _ANALYSIS.min_requests
    """Of fewer in the window nothing is concluded."""
    failures: Count = _ANALYSIS.failures
    """Looks in a row at which a condition must fail before it counts."""
    errors: Count = _ANALYSIS.errors
    """Tries in a row that a source may fail to answer."""
    on_fail: Annotated[OnFinding, Field(strict=False)] = _ANALYSIS.on_fail
    """turn-back: at once, and after the rollout a rollback. pause: until an operator resumes or aborts."""
    on_error: Annotated[OnFinding, Field(strict=False)] = _ANALYSIS.on_error
    """The same, for a source that does not answer."""
    conditions: list[ConditionText] = Field(default_factory=list, max_length=50)
    """What must hold, such as success_rate >= 99.9, or p99 <= 1.2 x active."""
    compare: CompareOrWord | None = None
    """statistical: the error counts of both versions, for services with few requests."""
    sources: list[SourceEntry] = Field(default_factory=list, max_length=20)
    """What is asked besides."""

    @model_validator(mode="after")
    def _watches(self) -> AnalysisEntry:
        if not self.conditions and not self.sources and self.compare is None:
            raise incomplete("watches nothing: give conditions, compare or sources.")
        if self.window < 2 * self.interval:
            raise ValueError("window must be at least twice as long as interval.")
        return self

    def build(self) -> Analysis:
        return Analysis(
            conditions=tuple(self.conditions),
            sources=tuple(source.build() for source in self.sources),
            comparing=self.compare.statistical.build() if self.compare else None,
            window=self.window,
            interval=self.interval,
            min_requests=self.min_requests,
            failures=self.failures,
            errors=self.errors,
            on_fail=self.on_fail,
            on_error=self.on_error,
        )
