"""A control plane that dies at one chosen boundary between two effects, and is started again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.command import TakenCommand
from bluegreen.model.event import Event
from bluegreen.model.gateway import Gateway
from bluegreen.model.traffic import ServiceTraffic
from deployment_store import SqliteStore
from tests.rollout.simulated_switch import SimulatedSwitch


class Crash(BaseException):
    """The process is gone. Not an Exception: nothing may catch it and go on."""


class Boundaries:
    """Counts the boundaries that are passed, and crashes at the one that was chosen (0: at none)."""

    def __init__(self, crash_at: int) -> None:
        self.passed: list[str] = []
        self._crash_at = crash_at
        self.crashed = False

    def passing(self, where: str) -> None:
        if self.crashed:
            raise Crash(f"dead since {self.passed[-1]}")
        self.passed.append(where)
        if len(self.passed) == self._crash_at:
            self.crashed = True
            raise Crash(where)


class CrashingStore:
    """A real store, with a boundary before and after each write."""

    def __init__(self, store: SqliteStore, boundaries: Boundaries) -> None:
        self._store, self._boundaries = store, boundaries

    async def compare_and_set(
        self,
        aggregate: ServiceAggregate,
        expected_revision: int,
        events: Sequence[Event],
        command: TakenCommand | None = None,
    ) -> ServiceAggregate:
        what = ", ".join(event.what.value for event in events)
        self._boundaries.passing(f"before writing {what}")
        written = await self._store.compare_and_set(aggregate, expected_revision, events, command)
        self._boundaries.passing(f"after writing {what}")
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class CrashingSwitch:
    """The simulated fleet, with a boundary after each word to it. The fleet outlives the crash."""

    def __init__(self, fleet: SimulatedSwitch, boundaries: Boundaries) -> None:
        self._fleet, self._boundaries = fleet, boundaries

    def restore(self, gateways: Mapping[str, Gateway], traffic: Mapping[str, ServiceTraffic]) -> None:
        self._fleet.restore(gateways, traffic)
        self._boundaries.passing("after telling everything")

    def prepare(self, traffic: ServiceTraffic) -> None:
        self._say(self._fleet.prepare, traffic)

    def set_weights(self, traffic: ServiceTraffic) -> None:
        self._say(self._fleet.set_weights, traffic)

    def retire(self, traffic: ServiceTraffic) -> None:
        self._say(self._fleet.retire, traffic)

    def _say(self, verb: Callable[[ServiceTraffic], None], traffic: ServiceTraffic) -> None:
        verb(traffic)
        self._boundaries.passing(f"after {verb.__name__}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)
