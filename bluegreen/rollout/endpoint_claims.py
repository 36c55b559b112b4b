"""Whether endpoints can be those of a deployment: each once, and none of the other environment. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment
from bluegreen.model.endpoint import Endpoint


def standing_twice(changed: Deployment) -> str:
    """Which of its endpoints stand there twice, as a sentence; empty: none."""
    twice = [each for each, count in Counter(changed.endpoints).items() if count > 1]
    return f"{_list(twice)} stands among its instances twice." if twice else ""


def shared_with_other(aggregate: ServiceAggregate, changed: Deployment) -> str:
    """Which of its endpoints are those of the other environment, as a sentence; empty: none."""
    other = aggregate.occupant(changed.environment.other)
    shared = set(changed.endpoints) & set(other.endpoints) if other else set()
    if other and shared:
        serves = "serve" if len(shared) > 1 else "serves"
        return (
            f"{_list(shared)} {serves} {other.version} on {other.environment} already: "
            f"{changed.environment} needs instances of its own."
        )
    return ""


def _list(endpoints: Collection[Endpoint]) -> str:
    shown = ", ".join(map(str, sorted(endpoints)[:5]))
    return f"{shown} and {len(endpoints) - 5} more" if len(endpoints) > 5 else shown
