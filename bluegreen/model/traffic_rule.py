"""Who has a service's production traffic."""

from __future__ import annotations

from dataclasses import dataclass

from bluegreen.model.environment import Environment

TOTAL_WEIGHT = 100
"""The sum of a service's weights at every moment: Envoy's hashing of sticky users needs it constant."""


@dataclass(frozen=True, slots=True)
class TrafficRule:
    """The active environment has the traffic, save `cutover_percent` which the other one has."""

    service: str
    active_environment: Environment | None = None  # None before the first promotion
    cutover_percent: int = 0

    def weight(self, environment: Environment) -> int:
        """The environment's share of the traffic, 0 to 100."""
        if self.active_environment is None:
            return 0
        if environment is self.active_environment:
            return TOTAL_WEIGHT - self.cutover_percent
        return self.cutover_percent
