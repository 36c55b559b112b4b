"""All that is decided about one service, read and written as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bluegreen.model.check import Check, CheckKind
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.environment import Environment
from bluegreen.model.migration import AppliedMigration
from bluegreen.model.migration_run import MigrationRun
from bluegreen.model.rollout import Rollout
from bluegreen.model.service import Service
from bluegreen.model.traffic_rule import TrafficRule


@dataclass(frozen=True, slots=True)
class ServiceAggregate:
    """One service with what the store holds of it. `revision` grows by one with every change.

    `deployments`, oldest first: the open ones, those that proxies may still hold, and nothing else; the
    rest is history. `rollout` is the open one, else the last one. `checks`, oldest first: the open ones and
    the latest of these deployments. `migration_runs`, oldest first: the open one and the latest. `ledger` is
    what is known to be applied to the service's database, in the order in which that became known.
    """

    service: Service
    traffic: TrafficRule
    revision: int = 0
    deployments: tuple[Deployment, ...] = ()
    rollout: Rollout | None = None
    last_deployment_revision: int = 0
    last_rollout_id: int = 0
    checks: tuple[Check, ...] = ()
    last_check_id: int = 0
    migration_runs: tuple[MigrationRun, ...] = ()
    last_migration_run_id: int = 0
    ledger: tuple[AppliedMigration, ...] = ()

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def open_rollout(self) -> Rollout | None:
        return self.rollout if self.rollout is not None and self.rollout.is_open else None

    @property
    def open_run(self) -> MigrationRun | None:
        """The migrations that are wanted or under way; there is at most one run."""
        return next((each for each in self.migration_runs if each.is_open), None)

    @property
    def active(self) -> Deployment | None:
        return self._first(lambda deployment: deployment.status is Status.ACTIVE)

    def deployment(self, revision: int) -> Deployment:
        """The deployment with this revision; KeyError where the aggregate no longer carries it."""
        found = self._first(lambda deployment: deployment.revision == revision)
        if found is None:
            raise KeyError(revision)
        return found

    def occupant(self, environment: Environment) -> Deployment | None:
        """The open deployment of an environment; there is at most one."""
        return self._first(lambda each: each.environment is environment and each.status.is_open)

    def checks_of(self, kind: CheckKind, deployment: int, **attributes: object) -> Iterator[Check]:
        """The checks of a kind and deployment with these further attributes, newest first."""
        wanted = {"kind": kind, "deployment": deployment, **attributes}
        for check in reversed(self.checks):
            if all(getattr(check, name) == value for name, value in wanted.items()):
                yield check

    def with_check(self, changed: Check) -> ServiceAggregate:
        """This aggregate with one check replaced, or added at the end where it is new."""
        if any(each.id == changed.id for each in self.checks):
            kept = tuple(changed if each.id == changed.id else each for each in self.checks)
            return replace(self, checks=kept)
        return replace(
            self, checks=(*self.checks, changed), last_check_id=max(self.last_check_id, changed.id)
        )

    def with_migration_run(self, changed: MigrationRun) -> ServiceAggregate:
        """This aggregate with one run replaced, or added at the end where it is new."""
        kept = tuple(changed if each.id == changed.id else each for each in self.migration_runs)
        if changed.id > self.last_migration_run_id:
            return replace(self, migration_runs=(*kept, changed), last_migration_run_id=changed.id)
        return replace(self, migration_runs=kept)

    def with_deployment(self, changed: Deployment) -> ServiceAggregate:
        """This aggregate with one deployment replaced, or added at the end where it is new."""
        if any(each.revision == changed.revision for each in self.deployments):
            kept = tuple(changed if each.revision == changed.revision else each for each in self.deployments)
            return replace(self, deployments=kept)
        return replace(
            self,
            deployments=(*self.deployments, changed),
            last_deployment_revision=max(self.last_deployment_revision, changed.revision),
        )

    def _first(self, wanted: Callable[[Deployment], bool]) -> Deployment | None:
        return next((each for each in self.deployments if wanted(each)), None)
