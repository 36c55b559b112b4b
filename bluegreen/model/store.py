"""The port to where state is kept: SQLite now, something shared by many replicas later."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.check import Check
from bluegreen.model.command import TakenCommand
from bluegreen.model.deployment import Deployment
from bluegreen.model.event import Event, Origin
from bluegreen.model.gateway import Gateway
from bluegreen.model.known_proxy import KnownProxy
from bluegreen.model.migration_run import MigrationRun
from bluegreen.model.rollout import Rollout
from bluegreen.model.service import Service


@dataclass(frozen=True, slots=True)
class CatalogueChange:
    """What an `apply` changes, all of it or nothing. `expected` holds the aggregate revision of each service
    it changes or removes, as it was when the change was found legal."""

    gateways: tuple[Gateway, ...] = ()  # added or changed
    services: tuple[Service, ...] = ()  # added or changed
    removed_gateways: tuple[str, ...] = ()
    removed_services: tuple[str, ...] = ()
    expected: Mapping[str, int] | None = None


class Store(Protocol):
    """Every write is durable when its call returns, and happens whole or not at all."""

    async def load(self, service: str) -> ServiceAggregate:
        """The aggregate of one service. Raises UnknownName."""
        ...

    async def load_all(self) -> Mapping[str, ServiceAggregate]:
        """The aggregates of all services, by name."""
        ...

    async def compare_and_set(
        self,
        aggregate: ServiceAggregate,
        expected_revision: int,
        events: Sequence[Event],
        command: TakenCommand | None = None,
    ) -> ServiceAggregate:
        """Write deployments, traffic rule, rollout, checks, migrations, events and the command that led to
        them in one transaction; return the aggregate with its new revision.

        Raises Conflict where the stored revision is another one, and IllegalTransition where a status
        changes that no event of the state machine's table accounts for. The ledger is only appended to, but
        for what an event says that its database has lost: Refused where it has become another one. The
        service's own description is not written here but by `change_catalogue`.
        """
        ...

    async def taken_command(self, key: str) -> TakenCommand | None:
        """The command that was taken up under this key; None: none was, or it is too long ago."""
        ...

    async def gateways(self) -> Mapping[str, Gateway]:
        """All gateways, by name."""
        ...

    async def change_catalogue(self, change: CatalogueChange, events: Sequence[Event]) -> None:
        """Write the outcome of an `apply`. Raises Conflict where a service moved on meanwhile, and
        Refused where a removed service has an open deployment."""
        ...

    def watch(self) -> AsyncIterator[str]:
        """The name of each service that a write of this store has changed, from now on. A slow reader
        is told of a service once, however often it changed meanwhile."""
        ...

    async def known_proxies(self) -> Sequence[KnownProxy]:
        """All proxies that were seen and not forgotten."""
        ...

    async def remember_proxies(self, proxies: Sequence[KnownProxy]) -> None:
        """Add proxies to the known fleet, or note when they were last seen; all in one transaction."""
        ...

    async def forget_proxy(self, proxy: str, at: float, origin: Origin) -> None:
        """Strike a proxy from the known fleet, with an event. Raises UnknownName."""
        ...

    async def events(self, service: str | None, after: int = 0, limit: int = 100) -> Sequence[Event]:
        """The newest `limit` events with an id above `after`, oldest first; of one service or of all."""
        ...

    async def deployments(self, service: str, limit: int = 50) -> Sequence[Deployment]:
        """The deployments of a service with all that is over, newest first."""
        ...

    async def rollouts(self, service: str, limit: int = 50) -> Sequence[Rollout]:
        """The rollouts of a service, newest first."""
        ...

    async def checks(self, service: str, limit: int = 50) -> Sequence[Check]:
        """The checks of a service, newest first."""
        ...

    async def migration_runs(self, service: str, limit: int = 50) -> Sequence[MigrationRun]:
        """The runs of a service's migrations, newest first."""
        ...

    async def prune_events(self, before: float) -> int:
        """Delete the events and commands from before this moment (seconds since the epoch), and the checks of
        deployments that are over; return how many events."""
        ...
