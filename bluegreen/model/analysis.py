"""How a version is watched while it takes traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bluegreen.model.condition import Comparison, Condition
from bluegreen.model.secret import Secret


class OnFinding(StrEnum):
    """What becomes of the rollout."""

    TURN_BACK = "turn-back"  # at once; after the rollout is over: a rollback
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class PrometheusSource:
    """A query whose result, a scalar or a vector of one, must compare with the threshold. `{service}`,
    `{version}`, `{revision}` and `{environment}` in it are filled in."""

    name: str
    url: str
    query: str
    comparison: Comparison
    threshold: float
    interval: float = 10.0
    timeout: float = 5.0
    headers: Mapping[str, Secret] | None = None
    type: Literal["prometheus"] = "prometheus"


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """A POST of what is going on, as JSON; an answer of class 2xx passes. A redirect is none."""

    name: str
    url: str
    interval: float = 10.0
    timeout: float = 5.0
    headers: Mapping[str, Secret] | None = None
    type: Literal["webhook"] = "webhook"


@dataclass(frozen=True, slots=True)
class CommandSource:
    """A program that exits with 0 where all is well, with 1 where it is not; anything else is an error."""

    name: str
    command: tuple[str, ...]
    interval: float = 10.0
    timeout: float = 30.0
    type: Literal["command"] = "command"


Source = PrometheusSource | WebhookSource | CommandSource


@dataclass(frozen=True, slots=True)
class Comparing:
    """Compare the error counts of the two revisions by a sequential test.

    `false_alarms`: the chance, over the whole life of a rollout, that two equal versions are told apart.
    `at_least`: only more than this many times the active revision's odds of an error are an alarm.
    """

    false_alarms: float = 0.01
    at_least: float = 1.0


@dataclass(frozen=True, slots=True)
class Analysis:
    """Looked at every `interval` seconds over the last `window` of the present step, from the metrics stream
    and from `sources`. Nothing is concluded of fewer than `min_requests`.

    `failures`: looks in a row at which a condition must fail before it counts; `errors`: tries in a row that
    a source may fail to answer.
    """

    conditions: tuple[Condition, ...] = ()
    sources: tuple[Source, ...] = ()
    comparing: Comparing | None = None
    window: float = 30.0
    interval: float = 0.5
    min_requests: int = 50
    failures: int = 3
    errors: int = 3
    on_fail: OnFinding = OnFinding.TURN_BACK
    on_error: OnFinding = OnFinding.PAUSE
