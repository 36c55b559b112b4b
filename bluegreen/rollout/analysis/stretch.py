"""A stretch of time over which a version is watched as one."""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment
from bluegreen.model.rollout import RolloutKind
from bluegreen.rollout.refusals import WARM


@dataclass(frozen=True, slots=True)
class Stretch:
    """A step of a rollout, or the time after it in which the version before is still warm (`rollout` and
    `step` are None then). `candidate` and `active` are revisions; `active` None: there is nothing to compare
    with. `since` is seconds since the epoch."""

    candidate: int
    active: int | None
    since: float
    rollout: int | None = None
    step: int | None = None


def stretch_of(aggregate: ServiceAggregate) -> Stretch | None:
    """What is to be watched now; None: nothing, or the service has no analysis."""
    if aggregate.service.gates.analysis is None:
        return None
    rollout = aggregate.open_rollout
    if rollout is None:
        active = aggregate.active
        if active is None or way_back(aggregate) is None:
            return None
        return Stretch(active.revision, None, active.status_since)
    if rollout.kind is RolloutKind.ROLLBACK or rollout.turning_back is not None or rollout.step < 0:
        return None
    # At 100 % the old version has no traffic to compare with.
    active_revision = None if rollout.is_last_step else rollout.previous
    return Stretch(rollout.candidate, active_revision, rollout.watched_since, rollout.id, rollout.step)


def way_back(aggregate: ServiceAggregate) -> Deployment | None:
    """What a rollback would return to: an older version that is warm."""
    active = aggregate.active
    if active is None:
        return None
    other = aggregate.occupant(active.environment.other)
    return other if other and other.status in WARM and other.revision < active.revision else None
