from __future__ import annotations

import pytest

from bluegreen.model.environment import Environment
from bluegreen.model.traffic_rule import TOTAL_WEIGHT, TrafficRule


@pytest.mark.parametrize("active", list(Environment))
@pytest.mark.parametrize("percent", [0, 1, 50, 99, 100])
def test_the_weights_always_add_up(active: Environment, percent: int) -> None:
    rule = TrafficRule("shop", active, percent)
    assert rule.weight(active.other) == percent
    assert rule.weight(active) + rule.weight(active.other) == TOTAL_WEIGHT


@pytest.mark.parametrize("environment", list(Environment))
def test_before_the_first_promotion_nobody_has_traffic(environment: Environment) -> None:
    assert TrafficRule("shop").weight(environment) == 0


def test_the_other_environment() -> None:
    assert Environment.BLUE.other is Environment.GREEN
    assert Environment.GREEN.other is Environment.BLUE
