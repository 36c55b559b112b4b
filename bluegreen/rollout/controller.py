"""The rollout controller: one worker a service, all services in parallel."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from functools import partial

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.catalogue import Catalogue, Difference
from bluegreen.model.errors import Conflict, Overtaken, UnknownName
from bluegreen.model.event import Origin
from bluegreen.model.fleet import ProxyFacts
from bluegreen.model.gateway import Gateway
from bluegreen.model.migration import MigrationOrder, MigrationPlan, Phase
from bluegreen.model.store import Store
from bluegreen.model.traffic_switch import TrafficSwitch
from bluegreen.rollout import commands, gate_commands, migration_commands, pool_commands
from bluegreen.rollout.catalogue_change import plan
from bluegreen.rollout.clock import Clock
from bluegreen.rollout.deploy_command import deploy, expands_at_the_cost_of
from bluegreen.rollout.draft import Decide
from bluegreen.rollout.fleet_memory import FleetMemory
from bluegreen.rollout.instance_logs import read_log
from bluegreen.rollout.migration_guards import refuse_bad_plan, refuse_unproved_expand
from bluegreen.rollout.operations import CommandResult, DeployCommand, MigrateCommand, ServiceView
from bluegreen.rollout.outside import Outside
from bluegreen.rollout.retire_command import retire
from bluegreen.rollout.retry_command import retry
from bluegreen.rollout.signals import ChangeSignals
from bluegreen.rollout.standing import Standing, who_moved
from bluegreen.rollout.wanted_traffic import wanted_traffic
from bluegreen.rollout.worker import ServiceWorker, Surroundings

APPLY_TRIES = 5
APPLY_PAUSE = 0.05
"""Seconds between two tries of an `apply` while a service keeps moving."""

RECENT_EVENTS = 50
"""Among which the one is found that overtook a command."""

log = logging.getLogger(__name__)


class Controller:
    """Implements `Operations` over a store and a switch.

    `start` loads all state and hands it to the switch, which is when proxies may be answered; `run` then
    drives every service until it is cancelled.
    """

    def __init__(self, store: Store, switch: TrafficSwitch, clock: Clock, outside: Outside) -> None:
        self._store, self._switch, self._clock = store, switch, clock
        self._signals = ChangeSignals()
        self._decisions = ChangeSignals()
        self._alert: set[str] = set()
        self._around = Surroundings(
            store=store,
            switch=switch,
            clock=clock,
            outside=outside,
            gateways=lambda: self._gateways,
            changed=self._told,
            progressed=self._signals.notify,
            alert=self._alert,
        )
        self._workers: dict[str, ServiceWorker] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._gateways: dict[str, Gateway] = {}
        self._group: asyncio.TaskGroup | None = None
        self._applying = asyncio.Lock()
        self._memory = FleetMemory(store, switch, clock, lambda: self._gateways)
        switch.on_change(self._facts_changed)
        outside.provisioner.on_change(self._instances_changed)

    async def start(self) -> None:
        """Load what was decided and who is known, and tell the switch all of it in one go."""
        await self._memory.load()
        await self._reload()

    async def run(self) -> None:
        """Drive all services until cancelled; an error that nobody foresaw ends the process (crash-only)."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._drive_all()
            group.create_task(self._memory.forget_gone())
            await self._memory.remember()

    # --- commands ---

    async def deploy(self, command: DeployCommand, origin: Origin) -> CommandResult:
        if expands_at_the_cost_of(self.aggregate(command.service), command) and await self._is_new(origin):
            order, planned = await self._plan(command.service, command.version)
            refuse_unproved_expand(planned, order=order)
        return await self._command(command.service, partial(deploy, command=command), origin)

    async def promote(
        self,
        service: str,
        origin: Origin,
        *,
        full: bool = False,
        force: bool = False,
        expected: Standing | None = None,
    ) -> CommandResult:
        decide_on = partial(commands.promote, full=full, force=force, expected=expected)
        return await self._command(service, decide_on, origin)

    async def pause(self, service: str, origin: Origin, *, expected: Standing | None = None) -> CommandResult:
        return await self._command(service, partial(commands.pause, expected=expected), origin)

    async def resume(
        self, service: str, origin: Origin, *, expected: Standing | None = None
    ) -> CommandResult:
        return await self._command(service, partial(commands.resume, expected=expected), origin)

    async def abort(self, service: str, origin: Origin, *, expected: Standing | None = None) -> CommandResult:
        return await self._command(service, partial(commands.abort, expected=expected), origin)

    async def rollback(
        self, service: str, origin: Origin, *, force: bool = False, expected: Standing | None = None
    ) -> CommandResult:
        decide_on = partial(commands.rollback, force=force, expected=expected)
        return await self._command(service, decide_on, origin)

    async def retire(
        self, service: str, origin: Origin, *, confirmed: bool = False, expected: Standing | None = None
    ) -> CommandResult:
        decide_on = partial(retire, confirmed=confirmed, expected=expected)
        return await self._command(service, decide_on, origin)

    async def test(self, service: str, origin: Origin, *, active: bool = False) -> CommandResult:
        return await self._command(service, partial(gate_commands.run_tests, active=active), origin)

    async def scale(self, service: str, instances: int, origin: Origin) -> CommandResult:
        return await self._command(service, partial(pool_commands.scale, instances=instances), origin)

    async def migrate(self, command: MigrateCommand, origin: Origin) -> CommandResult:
        active = self.aggregate(command.service).active
        gives_up = command.phase is Phase.CONTRACT and command.retire_standby
        if gives_up and active is not None and await self._is_new(origin):
            order, planned = await self._plan(command.service, active.version)
            refuse_bad_plan(planned, order=order, accept_drift=command.accept_drift)
            command = replace(command, version=active.version)  # the one that was looked at
        decide_on = partial(migration_commands.migrate, command=command)
        return await self._command(command.service, decide_on, origin)

    async def stop_migration(self, service: str, origin: Origin) -> CommandResult:
        return await self._command(service, migration_commands.stop, origin)

    async def plan_migrations(self, service: str, version: str = "") -> MigrationPlan:
        _, planned = await self._plan(service, version)
        return planned

    async def instance_log(self, service: str, instance: str, lines: int) -> str:
        aggregate = self._worker(service).aggregate
        history = await self._store.deployments(aggregate.name)
        return await read_log(self._around.outside.provisioner, aggregate, history, (instance, lines))

    async def approve(
        self, service: str, origin: Origin, *, expected: Standing | None = None
    ) -> CommandResult:
        return await self._command(service, partial(gate_commands.approve, expected=expected), origin)

    async def retry(self, service: str, origin: Origin) -> CommandResult:
        history = await self._store.deployments(self._worker(service).aggregate.name, limit=1)
        return await self._command(service, partial(retry, newest=next(iter(history), None)), origin)

    async def apply(
        self, catalogue: Catalogue, origin: Origin, *, prune: bool = False, dry_run: bool = False
    ) -> Sequence[Difference]:
        """Make the catalogue's gateways and services the ones that are served; return what that changes."""
        async with self._applying:
            for _ in range(APPLY_TRIES - 1):
                try:
                    return await self._apply(catalogue, origin, prune=prune, dry_run=dry_run)
                except Conflict:
                    # A service moved on between the plan and the write: plan anew, on what it left.
                    await asyncio.sleep(APPLY_PAUSE)
            return await self._apply(catalogue, origin, prune=prune, dry_run=dry_run)

    async def _apply(
        self, catalogue: Catalogue, origin: Origin, *, prune: bool, dry_run: bool
    ) -> Sequence[Difference]:
        aggregates = {name: worker.aggregate for name, worker in self._workers.items()}
        populated = {proxy.gateway for proxy in self._switch.fleet()}
        planned = plan(self._gateways, aggregates, catalogue, prune=prune, populated=populated)
        if dry_run or not planned.differences:
            return planned.differences
        await self._store.change_catalogue(planned.change, planned.events(self._clock.now(), origin))
        for difference in planned.differences:
            log.info("apply by %s: %s %s", origin.actor, difference.kind, difference.path)
        await self._reload()
        self._drive_all()
        return planned.differences

    async def forget_proxy(self, proxy: str, origin: Origin) -> None:
        await self._memory.forget(proxy, origin)

    # --- views ---

    def services(self) -> Sequence[str]:
        return sorted(self._workers)

    def aggregate(self, service: str) -> ServiceAggregate:
        return self._worker(service).aggregate

    def view(self, service: str) -> ServiceView:
        worker = self._worker(service)
        report = self._switch.observe(service)
        return ServiceView(worker.aggregate, report, worker.activity, worker.observation, worker.migration)

    def fleet(self) -> Sequence[ProxyFacts]:
        return self._switch.fleet()

    def refused(self) -> Sequence[ProxyFacts]:
        return self._switch.refused()

    def changes(self, service: str | None = None) -> AsyncIterator[str]:
        return self._signals.read(service)

    def decisions(self) -> AsyncIterator[str]:
        return self._decisions.read()

    # --- inside ---

    def _instances_changed(self, pool: tuple[str, int]) -> None:
        service, revision = pool
        if service in self._workers:
            self._workers[service].instances_changed(revision)

    def _told(self, service: str) -> None:
        self._signals.notify(service)
        self._decisions.notify(service)

    async def _command(self, service: str, decide_on: Decide, origin: Origin) -> CommandResult:
        try:
            return await self._worker(service).command(decide_on, origin)
        except Overtaken as overtaken:
            events = await self._store.events(service, limit=RECENT_EVENTS)
            meanwhile = who_moved(events, self._clock.now())
            raise Overtaken(overtaken.stand, overtaken.possible, meanwhile) from overtaken

    async def _plan(self, service: str, version: str) -> tuple[MigrationOrder, MigrationPlan]:
        order = migration_commands.order_to_plan(self._worker(service).aggregate, version)
        return order, await self._around.outside.migrator.plan(order)

    async def _is_new(self, origin: Origin) -> bool:
        """A command that was taken up before is answered as it was then, and nothing is looked at for it."""
        return not origin.key or await self._store.taken_command(origin.key) is None

    def _worker(self, service: str) -> ServiceWorker:
        worker = self._workers.get(service)
        if worker is None:
            raise UnknownName("service", service, self._workers)
        return worker

    async def _reload(self) -> None:
        self._gateways = dict(await self._store.gateways())
        aggregates = await self._store.load_all()
        for name, aggregate in aggregates.items():
            if name in self._workers:
                await self._workers[name].replace(aggregate)
            else:
                self._workers[name] = ServiceWorker(aggregate, self._around)
        for name in self._workers.keys() - aggregates.keys():
            del self._workers[name]
            self._alert.discard(name)
            if name in self._running:
                self._running.pop(name).cancel()
        current = {name: worker.aggregate for name, worker in self._workers.items()}
        self._switch.restore(self._gateways, {name: wanted_traffic(each) for name, each in current.items()})
        for name in self._workers:
            self._told(name)

    def _drive_all(self) -> None:
        if self._group is None:
            return
        for name, worker in self._workers.items():
            if name not in self._running:
                self._running[name] = self._group.create_task(worker.run(), name=f"service {name}")

    def _facts_changed(self, services: Collection[str]) -> None:
        # A thousand services may share a proxy that reports each second: only those are woken for whom a fact
        # can make a difference.
        for service in self._alert:
            if service in services:
                self._workers[service].wake()
        self._signals.notify_all(services)
