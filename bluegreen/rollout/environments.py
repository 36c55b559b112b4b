"""How the two environments of a service stand to each other now. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment
from bluegreen.model.event import Event, What
from bluegreen.rollout.parity import Disparity, disparities
from bluegreen.rollout.refusals import WARM


def drift(aggregate: ServiceAggregate) -> list[Disparity]:
    """What differs between the active version and the one in the other environment, once that has all of its
    instances: a standby that rests with a part of them is meant to."""
    active = aggregate.active
    other = aggregate.occupant(active.environment.other) if active else None
    if active is None or other is None:
        return []
    return disparities(_whole(active), _whole(other))


def resting_way_back(aggregate: ServiceAggregate) -> Deployment | None:
    """The version that a rollback returns to, where it has to be scaled up first. An open rollout is turned
    back to the active version, which has all of its instances."""
    active = aggregate.active
    if active is None or aggregate.open_rollout is not None:
        return None
    other = aggregate.occupant(active.environment.other)
    if other is None or other.status not in WARM or other.revision > active.revision:
        return None
    return other if other.capacity < other.full_capacity else None


_BEGINS = (What.DEPLOYED, What.EXPANDED)
"""From when instances are wanted: where the schema is expanded first, after that."""


def scale_up_seconds(events: Sequence[Event], deployment: Deployment) -> float | None:
    """How long it took, the last time that more instances were wanted, until as many were up. None: it is
    not done yet, or these events of the service, oldest first, do not go back so far."""
    ours = [each for each in events if each.deployment == deployment.revision]
    scaled = [each for each in ours if each.what is What.SCALED and each.before and each.after]
    at_first = int(scaled[0].before) if scaled else deployment.capacity
    began = [(each.at, at_first) for each in ours if each.what in _BEGINS]
    began += [(each.at, int(each.after)) for each in scaled if int(each.after) > int(each.before)]
    if not began:
        return None
    since, wanted = began[-1]
    done = (
        each.at - since
        for each in ours
        if each.what is What.INSTANCES_CHANGED
        and each.at >= since
        and each.after
        and int(each.after) >= wanted
    )
    return next(done, None)


def _whole(deployment: Deployment) -> Deployment:
    return replace(deployment, capacity=max(deployment.capacity, deployment.full_capacity))
