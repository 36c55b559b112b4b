"""What operators can ask of the controller, and what they are answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.catalogue import Catalogue, Difference
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.event import Origin
from bluegreen.model.fleet import ProxyFacts
from bluegreen.model.migration import MigrationPlan, MigrationProgress, Phase
from bluegreen.model.traffic_report import TrafficReport
from bluegreen.rollout.analysis.observation import Observation
from bluegreen.rollout.standing import Standing


@dataclass(frozen=True, slots=True)
class DeployCommand:
    """Put `version` into the idle environment of `service`. No endpoints: those of the service file."""

    service: str
    version: str
    endpoints: tuple[Endpoint, ...] = ()
    replace_standby: bool = False


@dataclass(frozen=True, slots=True)
class MigrateCommand:
    """Run one phase of a version's migrations.

    No version: for the backfill that of the candidate, else of the active deployment; for the contract that
    of the active one; an expand needs to be told. `accept_drift` takes on what other hands did to the schema.
    `retire_standby` gives the way back up, which a contract ends; the run begins once no proxy leads there.
    `expected` is what the sender saw: which version is meant, where none is named.
    """

    service: str
    phase: Phase
    version: str = ""
    accept_drift: bool = False
    retire_standby: bool = False
    expected: Standing | None = None


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What was decided, durably: a sentence, and what to watch (revision and ids; None: nothing new)."""

    message: str
    deployment: int | None = None
    rollout: int | None = None
    migration: int | None = None


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service as it stands: what is decided, what the proxies say, and what the controller waits for."""

    aggregate: ServiceAggregate
    report: TrafficReport
    activity: str
    observation: Observation | None = None  # of the version that is being watched, if one is
    migration: MigrationProgress | None = None  # of the migrations that run, once there is news of them


class Operations(Protocol):
    """Commands return once their intent is durable; what follows is watched through `changes` and `view`.

    All raise UnknownName for a name that is not known, Refused for what is illegal now, Conflict where
    another operator was faster, and InvalidInput for words that are wrong in any state. `expected` is what
    the sender saw before it asked; where it is left out, the command is decided on what there is.
    """

    async def apply(
        self, catalogue: Catalogue, origin: Origin, *, prune: bool = False, dry_run: bool = False
    ) -> Sequence[Difference]: ...

    async def deploy(self, command: DeployCommand, origin: Origin) -> CommandResult: ...

    async def promote(
        self,
        service: str,
        origin: Origin,
        *,
        full: bool = False,
        force: bool = False,
        expected: Standing | None = None,
    ) -> CommandResult: ...

    async def pause(
        self, service: str, origin: Origin, *, expected: Standing | None = None
    ) -> CommandResult: ...

    async def resume(
        self, service: str, origin: Origin, *, expected: Standing | None = None
    ) -> CommandResult: ...

    async def abort(
        self, service: str, origin: Origin, *, expected: Standing | None = None
    ) -> CommandResult: ...

    async def rollback(
        self, service: str, origin: Origin, *, force: bool = False, expected: Standing | None = None
    ) -> CommandResult: ...

    async def retire(
        self, service: str, origin: Origin, *, confirmed: bool = False, expected: Standing | None = None
    ) -> CommandResult: ...

    async def test(self, service: str, origin: Origin, *, active: bool = False) -> CommandResult:
        """Run the tests of the idle version again, or those of the active one."""
        ...

    async def scale(self, service: str, instances: int, origin: Origin) -> CommandResult:
        """Have this many instances in each environment whose instances are provided."""
        ...

    async def instance_log(self, service: str, instance: str, lines: int) -> str:
        """The last lines that an instance has written; empty where that is not known."""
        ...

    async def migrate(self, command: MigrateCommand, origin: Origin) -> CommandResult:
        """Have a phase of migrations run."""
        ...

    async def stop_migration(self, service: str, origin: Origin) -> CommandResult:
        """Give the open run up; what it has applied stays, and a later run goes on from there."""
        ...

    async def plan_migrations(self, service: str, version: str = "") -> MigrationPlan:
        """What a version's directory and the database come to now. No version: that of the candidate, else
        of the active deployment."""
        ...

    async def approve(
        self, service: str, origin: Origin, *, expected: Standing | None = None
    ) -> CommandResult: ...

    async def retry(self, service: str, origin: Origin) -> CommandResult: ...

    async def forget_proxy(self, proxy: str, origin: Origin) -> None: ...

    def services(self) -> Sequence[str]:
        """The names of all services, sorted."""
        ...

    def aggregate(self, service: str) -> ServiceAggregate:
        """A service as it is decided; no proxy is looked at."""
        ...

    def view(self, service: str) -> ServiceView: ...

    def fleet(self) -> Sequence[ProxyFacts]: ...

    def refused(self) -> Sequence[ProxyFacts]:
        """Proxies that were turned away of late, each with the reason."""
        ...

    def changes(self, service: str | None = None) -> AsyncIterator[str]:
        """The name of each service whose view may have changed, from now on; or of this one alone."""
        ...

    def decisions(self) -> AsyncIterator[str]:
        """The name of each service about which something was decided or said, from now on; not of those
        whose figures alone have changed."""
        ...
