"""A controller whose services move only when a test moves them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.catalogue import Catalogue, Difference
from bluegreen.model.check import Check, CheckKind
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.difference import difference
from bluegreen.model.environment import Environment
from bluegreen.model.errors import UnknownName
from bluegreen.model.event import Origin
from bluegreen.model.fleet import ProxyFacts
from bluegreen.model.migration import MigrationPlan, MigrationProgress, Phase
from bluegreen.model.migration_run import MigrationRun
from bluegreen.model.rollout import Outcome, Rollout, RolloutKind
from bluegreen.model.strategy import Step
from bluegreen.model.traffic_report import ProxyReport, TrafficReport
from bluegreen.model.traffic_rule import TrafficRule
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout.analysis.observation import Observation
from bluegreen.rollout.operations import CommandResult, DeployCommand, MigrateCommand, ServiceView
from bluegreen.rollout.signals import ChangeSignals
from bluegreen.rollout.standing import Standing
from tests.deployment_store.samples import EDGE, SHOP

STARTED = 1_700_000_000.0


class PuppetOperations:
    """Satisfies `Operations`. A command only records what was asked, and who asked, in `asked`; where
    `error` is set it raises that instead. `expected` is what the senders had seen."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked: list[tuple[str, object, Origin]] = []
        self.expected: list[Standing | None] = []
        self.was_asked = asyncio.Event()
        self.catalogue = Catalogue({"edge": EDGE}, {"shop": SHOP})
        self.proxies: list[ProxyFacts] = []
        self.observation: Observation | None = None
        self.plan = MigrationPlan((), ())
        self._signals = ChangeSignals()
        self._views = {
            "shop": ServiceView(ServiceAggregate(SHOP, TrafficRule("shop")), TrafficReport(), "idle")
        }

    # --- what a test pulls at ---

    @property
    def shop(self) -> ServiceAggregate:
        return self.view("shop").aggregate

    def show(
        self,
        aggregate: ServiceAggregate,
        activity: str = "idle",
        report: TrafficReport | None = None,
    ) -> None:
        """Let the service stand like this from now on."""
        report = report if report is not None else self._views["shop"].report
        aggregate = replace(aggregate, revision=self.shop.revision + 1)
        migration = self._views["shop"].migration if aggregate.open_run is not None else None
        self._views[aggregate.name] = ServiceView(aggregate, report, activity, self.observation, migration)
        self._signals.notify(aggregate.name)

    def want(
        self, kind: CheckKind, deployment: int, subject: str = "", into: ServiceAggregate | None = None
    ) -> Check:
        """Have a gate asked, within the open rollout where there is one; at once with what `into` changes."""
        rollout = self.shop.open_rollout
        check = Check(
            id=self.shop.last_check_id + 1,
            service="shop",
            kind=kind,
            deployment=deployment,
            wanted_at=STARTED,
            subject=subject,
            rollout=rollout.id if rollout is not None else None,
            step=rollout.step if rollout is not None else None,
        )
        self.show((into or self.shop).with_check(check))
        return check

    def conclude(self, check: Check, verdict: Verdict, summary: str, *findings: Finding) -> None:
        """The gate has spoken."""
        said = replace(check, verdict=verdict, summary=summary, findings=findings, finished_at=STARTED + 3)
        self.show(self.shop.with_check(said))

    def want_run(self, phase: Phase, version: str, **attributes: Any) -> MigrationRun:
        """Have a phase of migrations run."""
        number = self.shop.last_migration_run_id + 1
        run = MigrationRun(number, "shop", version, phase, STARTED, "olga", begun_at=STARTED, **attributes)
        self.show(self.shop.with_migration_run(run))
        return run

    def go_on(self, progress: MigrationProgress) -> None:
        """The open run is so far."""
        self._views["shop"] = replace(self.view("shop"), migration=progress)
        self._signals.notify("shop")

    def end_run(
        self, run: MigrationRun, verdict: Verdict, summary: str, *findings: Finding, **left: Any
    ) -> None:
        over = replace(
            run, verdict=verdict, summary=summary, findings=findings, finished_at=STARTED + 4, **left
        )
        self.show(self.shop.with_migration_run(over))

    def move(self, revision: int, status: Status, note: str = "") -> None:
        self.show(
            self.shop.with_deployment(replace(self.shop.deployment(revision), status=status, note=note))
        )

    def amend_rollout(self, change: Callable[[Rollout], Rollout]) -> None:
        assert self.shop.rollout is not None
        self.show(replace(self.shop, rollout=change(self.shop.rollout)))

    def open_rollout(self, kind: RolloutKind, *steps: Step) -> CommandResult:
        """Of the newest deployment."""
        number = self.shop.last_rollout_id + 1
        candidate = self.shop.last_deployment_revision
        rollout = Rollout(number, "shop", kind, candidate, None, steps, STARTED)
        self.show(replace(self.shop, rollout=rollout, last_rollout_id=number))
        return CommandResult(f"Rollout {number} begins.", deployment=candidate, rollout=number)

    def set_percent(self, percent: int) -> None:
        """The open rollout gives the candidate so much, and nobody has acknowledged it yet."""
        steps = [step.percent for step in self.shop.rollout.steps] if self.shop.rollout else []
        change = {"percent": percent, "step": steps.index(percent), "acknowledged_at": None}
        self.amend_rollout(lambda rollout: replace(rollout, **change, set_at=STARTED))  # type: ignore[arg-type]

    def acknowledge(self) -> None:
        """Every proxy has what it was told."""
        self.amend_rollout(lambda rollout: replace(rollout, acknowledged_at=STARTED + 1))

    def finish(self, outcome: Outcome) -> None:
        self.amend_rollout(lambda rollout: replace(rollout, outcome=outcome, finished_at=STARTED + 2))

    def add_service(self, name: str) -> None:
        aggregate = ServiceAggregate(replace(SHOP, name=name), TrafficRule(name))
        self._views[name] = ServiceView(aggregate, TrafficReport(), "idle")

    def remove(self, service: str) -> None:
        del self._views[service]
        self._signals.notify(service)

    def report(self, *proxies: ProxyReport) -> None:
        self.show(self.shop, report=TrafficReport(proxies))

    # --- Operations ---

    async def apply(
        self, catalogue: Catalogue, origin: Origin, *, prune: bool = False, dry_run: bool = False
    ) -> Sequence[Difference]:
        self._note("apply", {"prune": prune, "dry_run": dry_run}, origin)
        changes = difference(self.catalogue, catalogue)
        if not dry_run:
            self.catalogue = catalogue
        return changes

    async def deploy(self, command: DeployCommand, origin: Origin) -> CommandResult:
        self._note("deploy", command, origin)
        self.view(command.service)
        revision = self.shop.last_deployment_revision + 1
        environment = Environment.GREEN if self.shop.occupant(Environment.BLUE) else Environment.BLUE
        self.show(
            self.shop.with_deployment(
                Deployment(
                    service=command.service,
                    revision=revision,
                    version=command.version,
                    environment=environment,
                    status=Status.DEPLOYING,
                    endpoints=command.endpoints,
                    deployed_at=STARTED,
                    status_since=STARTED,
                )
            )
        )
        return CommandResult(f"{command.version} goes to {environment}.", deployment=revision)

    async def promote(
        self,
        service: str,
        origin: Origin,
        *,
        full: bool = False,
        force: bool = False,
        expected: Standing | None = None,
    ) -> CommandResult:
        self.expected.append(expected)
        self._note("promote", {"full": full, **({"force": True} if force else {})}, origin)
        self.view(service)
        return self.open_rollout(RolloutKind.PROMOTE, Step(10), Step(100))

    async def pause(self, service: str, origin: Origin, *, expected: Standing | None = None) -> CommandResult:
        self.expected.append(expected)
        return self._told("pause", service, origin)

    async def resume(
        self, service: str, origin: Origin, *, expected: Standing | None = None
    ) -> CommandResult:
        self.expected.append(expected)
        return self._told("resume", service, origin)

    async def abort(self, service: str, origin: Origin, *, expected: Standing | None = None) -> CommandResult:
        self.expected.append(expected)
        return self._told("abort", service, origin)

    async def rollback(
        self, service: str, origin: Origin, *, force: bool = False, expected: Standing | None = None
    ) -> CommandResult:
        self.expected.append(expected)
        self._note("rollback", {"force": force}, origin)
        self.view(service)
        return self.open_rollout(RolloutKind.ROLLBACK, Step(100))

    async def retire(
        self, service: str, origin: Origin, *, confirmed: bool = False, expected: Standing | None = None
    ) -> CommandResult:
        self.expected.append(expected)
        self._note("retire", {"confirmed": confirmed}, origin)
        for each in self.view(service).aggregate.deployments:
            self.move(each.revision, Status.RETIRED)
        return CommandResult("shop is taken out.")

    async def test(self, service: str, origin: Origin, *, active: bool = False) -> CommandResult:
        """Of the newest deployment."""
        self._note("test", {"active": active}, origin)
        self.view(service)
        kind = CheckKind.TESTS_OF_ACTIVE if active else CheckKind.TESTS
        self.want(kind, self.shop.last_deployment_revision)
        return CommandResult("It is tested.")

    async def scale(self, service: str, instances: int, origin: Origin) -> CommandResult:
        self._note("scale", {"instances": instances}, origin)
        self.view(service)
        return CommandResult(f"{instances} of them.")

    async def instance_log(self, service: str, instance: str, lines: int) -> str:
        self.view(service)
        return "".join(f"line {number} of {instance}\n" for number in range(lines))

    async def migrate(self, command: MigrateCommand, origin: Origin) -> CommandResult:
        """Of the version that is named, else of the newest deployment."""
        self._note("migrate", command, origin)
        self.view(command.service)
        version = command.version or self.shop.deployments[-1].version
        run = self.want_run(command.phase, version, accept_drift=command.accept_drift)
        return CommandResult(f"The {run.phase} of {version} begins.", migration=run.id)

    async def stop_migration(self, service: str, origin: Origin) -> CommandResult:
        self._note("stop_migration", service, origin)
        run = self.view(service).aggregate.open_run
        assert run is not None
        self.end_run(run, Verdict.INCONCLUSIVE, "is stopped by olga")
        return CommandResult("It is given up.", migration=run.id)

    async def plan_migrations(self, service: str, version: str = "") -> MigrationPlan:
        self._note("plan_migrations", {"version": version}, Origin(""))
        self.view(service)
        return self.plan

    async def approve(
        self, service: str, origin: Origin, *, expected: Standing | None = None
    ) -> CommandResult:
        self.expected.append(expected)
        return self._told("approve", service, origin)

    async def retry(self, service: str, origin: Origin) -> CommandResult:
        """What was aborted is promoted, else the newest deployment deployed again."""
        self._note("retry", service, origin)
        if self.view(service).aggregate.rollout is not None:
            return self.open_rollout(RolloutKind.PROMOTE, Step(100))
        return await self.deploy(DeployCommand(service, "again"), origin)

    async def forget_proxy(self, proxy: str, origin: Origin) -> None:
        self._note("forget_proxy", proxy, origin)
        known = [each.id for each in self.proxies]
        if proxy not in known:
            raise UnknownName("proxy", proxy, known)

    def services(self) -> Sequence[str]:
        return sorted(self._views)

    def aggregate(self, service: str) -> ServiceAggregate:
        return self.view(service).aggregate

    def view(self, service: str) -> ServiceView:
        if service not in self._views:
            raise UnknownName("service", service, self._views)
        return self._views[service]

    def refused(self) -> Sequence[ProxyFacts]:
        return [each for each in self.proxies if each.refused]

    def fleet(self) -> Sequence[ProxyFacts]:
        return self.proxies

    def changes(self, service: str | None = None) -> AsyncIterator[str]:
        return self._signals.read(service)

    def decisions(self) -> AsyncIterator[str]:
        return self._signals.read()

    # --- inside ---

    def _note(self, verb: str, subject: object, origin: Origin) -> None:
        self.asked.append((verb, subject, origin))
        self.was_asked.set()
        if self.error is not None:
            raise self.error

    def _told(self, verb: str, service: str, origin: Origin) -> CommandResult:
        self._note(verb, service, origin)
        self.view(service)
        return CommandResult(f"{verb} it is.")
