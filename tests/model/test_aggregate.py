from __future__ import annotations

from dataclasses import replace

import pytest

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.environment import Environment
from bluegreen.model.rollout import Outcome, Rollout, RolloutKind
from bluegreen.model.service import Service
from bluegreen.model.strategy import Step
from bluegreen.model.traffic_rule import TrafficRule

EMPTY = ServiceAggregate(Service("shop", ("edge",), ("*",)), TrafficRule("shop"))
ROLLOUT = Rollout(1, "shop", RolloutKind.PROMOTE, 2, 1, (Step(10, 5.0), Step(100)), 0.0)


def deployment(revision: int, environment: Environment, status: Status) -> Deployment:
    return Deployment("shop", revision, f"v{revision}", environment, status, (), 0.0, 0.0)


OVER = deployment(1, Environment.GREEN, Status.FAILED)
OLD = deployment(2, Environment.BLUE, Status.ACTIVE)
NEW = deployment(3, Environment.GREEN, Status.SHIFTING)
FULL = EMPTY.with_deployment(OVER).with_deployment(OLD).with_deployment(NEW)


def test_an_empty_aggregate_has_nothing() -> None:
    assert EMPTY.name == "shop"
    assert EMPTY.active is None
    assert EMPTY.open_rollout is None
    assert EMPTY.occupant(Environment.BLUE) is None
    with pytest.raises(KeyError):
        EMPTY.deployment(1)


def test_deployments_are_found_by_what_they_are() -> None:
    assert FULL.active == OLD
    assert FULL.deployment(1) == OVER
    assert FULL.occupant(Environment.BLUE) == OLD
    assert FULL.occupant(Environment.GREEN) == NEW  # what is over occupies nothing


def test_a_new_deployment_stands_last_and_takes_the_next_number() -> None:
    assert [each.revision for each in FULL.deployments] == [1, 2, 3]
    assert FULL.last_deployment_revision == 3


def test_a_known_deployment_is_replaced_in_its_place() -> None:
    changed = replace(OLD, status=Status.DRAINING)
    aggregate = FULL.with_deployment(changed)
    assert aggregate.deployments == (OVER, changed, NEW)
    assert aggregate.last_deployment_revision == 3
    assert FULL.active == OLD


def test_a_rollout_is_open_until_it_is_finished() -> None:
    assert replace(FULL, rollout=ROLLOUT).open_rollout == ROLLOUT
    finished = replace(ROLLOUT, outcome=Outcome.COMPLETED, finished_at=1.0)
    assert replace(FULL, rollout=finished).open_rollout is None


def test_the_steps_of_a_rollout() -> None:
    assert ROLLOUT.current is None
    assert replace(ROLLOUT, step=0).current == Step(10, 5.0)
    assert [replace(ROLLOUT, step=each).is_last_step for each in (-1, 0, 1)] == [False, False, True]


@pytest.mark.parametrize("status", list(Status))
def test_only_what_is_over_has_left_its_environment(status: Status) -> None:
    assert status.is_open is (status not in (Status.RETIRED, Status.FAILED))


def test_a_deployment_is_held_until_it_is_released() -> None:
    assert OVER.is_held
    assert not replace(OVER, released_at=1.0).is_held
