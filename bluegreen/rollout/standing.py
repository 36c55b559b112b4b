"""What an operator saw before a command, so that of two who look at once only one moves the traffic. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.duration import format_duration
from bluegreen.model.errors import Overtaken
from bluegreen.model.event import CONTROLLER, Event, What
from bluegreen.rollout.refusals import NOT_READY, candidate_of, possible

_MOVES = frozenset(
    (
        *(What.DEPLOYED, What.EXPANDED, What.PREPARED, What.FAILED, What.SUPERSEDED, What.RETIRED),
        *(What.SHIFT_STARTED, What.WEIGHT_SET, What.CONTINUED, What.PAUSED, What.RESUMED),
        *(What.TURNED_BACK, What.ROLLOUT_FINISHED, What.APPROVED, What.TESTED_AGAIN, What.MIGRATION_WANTED),
    )
)
"""The events after which a service stands elsewhere."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a command is decided on. `rollout` is the id of the open one, `step` and `goes_on` belong to it;
    `candidate` (what a promotion is about) and `active` are revisions. None: there is none."""

    rollout: int | None = None
    step: int = -1
    goes_on: bool = False  # the next step comes without another word
    candidate: int | None = None
    active: int | None = None


def standing(aggregate: ServiceAggregate) -> Standing:
    rollout, active = aggregate.open_rollout, aggregate.active
    waiting = candidate_of(aggregate) or next(
        (each for each in aggregate.deployments if each.status in NOT_READY), None
    )
    return Standing(
        rollout=rollout.id if rollout else None,
        step=rollout.step if rollout else -1,
        goes_on=rollout is not None and rollout.goes_on,
        candidate=rollout.candidate if rollout else waiting.revision if waiting else None,
        active=active.revision if active else None,
    )


def require(
    aggregate: ServiceAggregate, seen: Standing | None, what: Callable[[Standing], object] = lambda seen: seen
) -> None:
    """Raise Overtaken where `what` the sender saw is so no more. `seen` None: the sender did not look."""
    if seen is not None and what(seen) != what(standing(aggregate)):
        raise Overtaken(_where_it_stands(aggregate), possible(aggregate))


def rollout_of(seen: Standing) -> object:
    return seen.rollout


def subject_of(seen: Standing) -> object:
    """What an abort gives up."""
    return seen.rollout, seen.candidate


def loser_of(seen: Standing) -> object:
    """The revision that a rollback takes the traffic from."""
    return seen.active if seen.rollout is None else seen.candidate


def who_moved(events: Sequence[Event], now: float) -> str:
    """The last thing that an operator asked for, and what the controller has made of it; `events` from the
    oldest on."""
    moves = [each for each in events if each.what in _MOVES]
    asked = next((each for each in reversed(moves) if each.origin.actor != CONTROLLER.actor), None)
    told = [asked] if asked else []
    if moves and moves[-1] is not asked:
        told.append(moves[-1])
    return " ".join(f"{_who(each)}, {format_duration(_age(each, now))} ago: {each.message}" for each in told)


def _who(event: Event) -> str:
    return f"{event.origin.actor} ({event.origin.reason})" if event.origin.reason else event.origin.actor


def _age(event: Event, now: float) -> float:
    return float(round(max(0.0, now - event.at)))


def _where_it_stands(aggregate: ServiceAggregate) -> str:
    rollout, active = aggregate.open_rollout, aggregate.active
    if rollout is not None:
        candidate = aggregate.deployment(rollout.candidate)
        on = f", on its way to {rollout.steps[rollout.step + 1].percent} %" if rollout.goes_on else ""
        return f"Now rollout {rollout.id} of {candidate.version} is at {rollout.percent} %{on}."
    if active is None:
        return f"Now no version of {aggregate.name} is active, and no rollout is open."
    return f"Now {active.version} on {active.environment} is active, and no rollout is open."
