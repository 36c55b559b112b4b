"""The instances of one deployment: how many are wanted, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bluegreen.model.endpoint import Endpoint
from bluegreen.model.provisioning import Source


class InstanceState(StrEnum):
    STARTING = "starting"  # does not listen yet
    UP = "up"  # may be sent requests
    UNHEALTHY = "unhealthy"  # runs, and cannot serve now: gets no requests until it is up again
    DRAINING = "draining"  # is about to go by itself: gets no new requests
    WAITING = "waiting"  # ended by itself, and is started again in a while
    FAILED = "failed"  # cannot be had: `note` says why
    STOPPING = "stopping"


IN_USE = (InstanceState.UP, InstanceState.UNHEALTHY, InstanceState.DRAINING)
"""The states of which the proxies know: what an instance has under way is not cut off in them."""


@dataclass(frozen=True, slots=True)
class Instance:
    """`id` is unique within its pool and never used again. `since` is seconds since the epoch; `restarts`
    counts how often it had to be started again. `note` is the last thing it said, where it is not well."""

    id: str
    endpoint: Endpoint
    state: InstanceState
    since: float = 0.0
    restarts: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Pool:
    """What is wanted of a deployment's instances. `leaving` are ids that no proxy sends anything to any more:
    they may be stopped. `capacity` is how many shall be left beside them; 0: none, the pool is over."""

    service: str
    environment: str
    revision: int
    version: str
    source: Source
    capacity: int
    leaving: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, int]:
        return self.service, self.revision


class Provisioner(Protocol):
    """One kind of infrastructure. Every call is absolute and may be repeated: after a restart everything is
    said once more. What it costs to find out is its own business; what it knows is told at once.

    All raise ProvisioningFailed, with the last words of whatever failed.
    """

    async def up(self, pool: Pool) -> None:
        """Have `pool.capacity` instances running, beside those that leave; more where there are fewer. Never
        stops one that does not leave. Returns once that is on its way."""
        ...

    async def stop(self, pool: Pool) -> None:
        """Stop those that leave, or with capacity 0 all; gracefully, then for good. Returns once they are
        gone."""
        ...

    def leave_alone(self, pool: Pool) -> None:
        """Look after it no longer, and stop nothing of it."""
        ...

    async def instances(self, pool: Pool) -> Sequence[Instance]:
        """All there are, whatever their state."""
        ...

    def on_change(self, notify: Callable[[tuple[str, int]], None]) -> None:
        """Call `notify(pool.key)` on the event loop when the instances of a pool may have changed."""
        ...

    async def log(self, pool: Pool, instance: str, lines: int) -> str:
        """The last lines that an instance has written; empty where that is not known."""
        ...
