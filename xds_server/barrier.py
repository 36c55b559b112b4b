"""The barrier of a transaction, as a pure reducer: target, stage and reports in, what to do next out.

Nothing here waits or sends, and all of it can be stored: another process can go on with the same facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .resource import Resource
from .types import CLUSTER, ENDPOINT

Key = tuple[str, str]

_FIRST_TYPES: Final = frozenset({CLUSTER, ENDPOINT})


class Stage(StrEnum):
    """Row ORDER, over the whole fleet: each is acknowledged by every proxy before the next is published."""

    PREPARE = "prepare"
    """Clusters and endpoints, new and changed."""
    COMMIT = "commit"
    """Everything else that is new or changed: what leads traffic there."""
    RETIRE = "retire"
    """Removals."""
    DONE = "done"


_AFTER: Final = {Stage.PREPARE: Stage.COMMIT, Stage.COMMIT: Stage.RETIRE, Stage.RETIRE: Stage.DONE}


class Verdict(StrEnum):
    """What one proxy says of one stage."""

    ACKED = "acked"
    NACKED = "nacked"
    SILENT = "silent"
    """Connected, without an answer so far."""
    DISCONNECTED = "disconnected"


class Outcome(StrEnum):
    """How a transaction ended."""

    DONE = "done"
    NACKED = "nacked"
    """A proxy refused: stopped where it was."""
    TIMED_OUT = "timed out"
    SUPERSEDED = "superseded"
    """Something newer was published for one of its resources."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be true of these groups: resources that are there as they are here, names that are gone."""

    groups: tuple[str, ...]
    put: tuple[Resource, ...] = ()
    remove: tuple[Key, ...] = ()

    def puts(self, stage: Stage) -> tuple[Resource, ...]:
        """What this stage publishes."""
        match stage:
            case Stage.PREPARE:
                return tuple(resource for resource in self.put if resource.type_url in _FIRST_TYPES)
            case Stage.COMMIT:
                return tuple(resource for resource in self.put if resource.type_url not in _FIRST_TYPES)
            case _:
                return ()

    def removals(self, stage: Stage) -> tuple[Key, ...]:
        return self.remove if stage is Stage.RETIRE else ()


@dataclass(frozen=True, slots=True)
class Report:
    """What one proxy says of the present stage. ``at`` is wall seconds: when it was first seen to say so."""

    verdict: Verdict
    at: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do until a report changes or the deadline comes."""

    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Enter:
    """Publish this stage next; DONE has nothing to publish."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class Stop:
    outcome: Outcome


def decide(
    target: Target, stage: Stage, reports: Mapping[str, Report], expected: Iterable[str] = ()
) -> Wait | Enter | Stop:
    """What follows from the reports on ``stage``.

    A proxy that is disconnected is waited for only if it is ``expected``. A stage that publishes nothing is
    passed.
    """
    if any(report.verdict is Verdict.NACKED for report in reports.values()):
        return Stop(Outcome.NACKED)
    must = set(expected)
    missing = {node for node in must if node not in reports}
    missing |= {
        node
        for node, report in reports.items()
        if report.verdict is Verdict.SILENT or (report.verdict is Verdict.DISCONNECTED and node in must)
    }
    if missing and (target.puts(stage) or target.removals(stage)):
        return Wait(tuple(sorted(missing)))
    return Enter(_AFTER[stage])
