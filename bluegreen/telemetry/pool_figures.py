"""Environments as Prometheus metrics: what each costs, how alike they are, how long it takes to fill one."""

from __future__ import annotations

import time
from collections import Counter as Counted
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment
from bluegreen.model.environment import Environment
from bluegreen.model.pool import InstanceState
from bluegreen.rollout.environments import drift
from bluegreen.rollout.operations import ServiceView
from bluegreen.rollout.wanted_traffic import is_kept_back

HANDED_IN = "handed-in"
"""The state of an instance of which nothing is known but where it listens."""

GONE = "gone"
"""What becomes of an instance that nobody has asked to leave and that is there no more."""

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)

Key = tuple[str, int]
"""Service and revision."""


class PoolFigures:
    """Counts from now on. `clock` gives seconds that only grow."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._restarts_of: dict[str, dict[tuple[int, str], int]] = {}
        self._states_of: dict[str, dict[tuple[int, str], _Seen]] = {}
        self._capacity: dict[Key, int] = {}
        self._scaling_since: dict[Key, float] = {}
        self._restarts = Counter(
            "bluegreen_instance_restarts",
            "How often instances ended by themselves and were started again.",
            ["service", "environment"],
            registry=registry,
        )
        self._changes = Counter(
            "bluegreen_instance_changes",
            "How often instances came into a state; gone: nobody had asked them to leave.",
            ["service", "environment", "state"],
            registry=registry,
        )
        self._scale_up = Histogram(
            "bluegreen_scale_up_seconds",
            "From the wish for more instances until as many were up.",
            ["service"],
            buckets=_SECONDS,
            registry=registry,
        )

    def begin(self, aggregate: ServiceAggregate) -> None:
        """What stands already is not counted."""
        self._restarts_of[aggregate.name] = dict(_restarts(aggregate))
        self._states_of[aggregate.name] = dict(_seen(aggregate))
        for each in _provided(aggregate):
            self._capacity[each.service, each.revision] = each.capacity
        self.note(aggregate)

    def note(self, aggregate: ServiceAggregate) -> None:
        """Count what has come to pass since the last time."""
        self._scale_up.labels(aggregate.name)
        for environment in Environment:
            # A series that begins with its first event hides that one from increase().
            self._restarts.labels(aggregate.name, environment)
            if aggregate.service.provisioning is not None:
                for state in (*InstanceState, GONE):
                    self._changes.labels(aggregate.name, environment, state)
        self._note_restarts(aggregate)
        self._note_changes(aggregate)
        self._note_scale_ups(aggregate)

    def _note_restarts(self, aggregate: ServiceAggregate) -> None:
        before, now = self._restarts_of.get(aggregate.name, {}), dict(_restarts(aggregate))
        for (revision, instance), restarts in now.items():
            more = restarts - before.get((revision, instance), 0)
            if more > 0:
                environment = aggregate.deployment(revision).environment
                self._restarts.labels(aggregate.name, environment).inc(more)
        self._restarts_of[aggregate.name] = now

    def _note_changes(self, aggregate: ServiceAggregate) -> None:
        before, now = self._states_of.get(aggregate.name, {}), dict(_seen(aggregate))
        for key, seen in now.items():
            if key not in before or before[key].state is not seen.state:
                self._changes.labels(aggregate.name, seen.environment, seen.state).inc()
        held = {each.revision for each in aggregate.deployments if each.is_held}
        for key, seen in before.items():
            if key not in now and not seen.leaves and key[0] in held:
                self._changes.labels(aggregate.name, seen.environment, GONE).inc()
        self._states_of[aggregate.name] = now

    def _note_scale_ups(self, aggregate: ServiceAggregate) -> None:
        present = {(each.service, each.revision): each for each in _provided(aggregate)}
        for key in [key for key in self._capacity if key[0] == aggregate.name and key not in present]:
            del self._capacity[key]
            self._scaling_since.pop(key, None)
        for key, deployment in present.items():
            if deployment.capacity > self._capacity.get(key, 0):
                self._scaling_since[key] = self._clock()
            self._capacity[key] = deployment.capacity
            if key in self._scaling_since and deployment.up >= deployment.capacity:
                seconds = self._clock() - self._scaling_since.pop(key)
                self._scale_up.labels(aggregate.name).observe(seconds)

    def collect(self, views: Sequence[ServiceView]) -> Iterable[Metric]:
        """What is so at this moment."""
        instances = GaugeMetricFamily(
            "bluegreen_instances",
            "Instances that there are, by their state.",
            labels=["service", "environment", "state"],
        )
        wanted = GaugeMetricFamily(
            "bluegreen_instances_wanted", "Instances that are wanted.", labels=["service", "environment"]
        )
        disparities = GaugeMetricFamily(
            "bluegreen_disparities",
            "In how much the active version and the one in the other environment differ, beside the version.",
            labels=["service"],
        )
        for view in views:
            name = view.aggregate.name
            disparities.add_metric([name], len(drift(view.aggregate)))
            for environment in Environment:
                here = [each for each in view.aggregate.deployments if each.environment is environment]
                # Those of what is released are not wanted any more, and cost until they are stopped.
                wanted.add_metric([name, environment], sum(each.expected for each in here if each.is_held))
                count = Counted(state for each in here for state in _states(each))
                for state in _expected(view.aggregate):
                    instances.add_metric([name, environment, state], count[state])
        yield from (instances, wanted, disparities)


def _provided(aggregate: ServiceAggregate) -> Iterator[Deployment]:
    """The deployments whose instances somebody starts."""
    for each in aggregate.deployments:
        if each.provisioning is not None and each.is_held and not is_kept_back(aggregate, each):
            yield each


def _restarts(aggregate: ServiceAggregate) -> Iterator[tuple[tuple[int, str], int]]:
    for deployment in aggregate.deployments:
        for each in deployment.instances:
            yield (deployment.revision, each.id), each.restarts


@dataclass(frozen=True, slots=True)
class _Seen:
    """An instance as it was seen last."""

    environment: Environment
    state: InstanceState
    leaves: bool


def _seen(aggregate: ServiceAggregate) -> Iterator[tuple[tuple[int, str], _Seen]]:
    for deployment in aggregate.deployments:
        leaving = set(deployment.leaving)
        for each in deployment.instances:
            seen = _Seen(deployment.environment, each.state, each.id in leaving)
            yield (deployment.revision, each.id), seen


def _expected(aggregate: ServiceAggregate) -> Iterator[str]:
    """The states that its instances may have."""
    ways = [each.provisioning for each in aggregate.deployments if each.is_held or each.has_instances]
    ways = [*ways, aggregate.service.provisioning]
    if any(ways):
        yield from InstanceState
    if None in ways:
        yield HANDED_IN


def _states(deployment: Deployment) -> Iterator[str]:
    if deployment.provisioning is not None:
        yield from (each.state for each in deployment.instances)
    elif deployment.is_held:
        yield from (HANDED_IN for _ in deployment.endpoints)
