"""Any verb, in any order, at any time: a random walk through releases that change the schema. The fleet, the
database and the tests do as they please; after each step it is asked what must hold at any time."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bluegreen.migrations.ledger_entries import LedgerEntries
from bluegreen.migrations.migration_file import MigrationFile
from bluegreen.migrations.plan import compare, of_phase
from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.deployment import Deployment, Status
from bluegreen.model.errors import InvalidInput, Refused
from bluegreen.model.event import Origin
from bluegreen.model.migration import (
    AppliedMigration,
    MigrationName,
    MigrationOrder,
    MigrationOutcome,
    Phase,
)
from bluegreen.model.rollout import RolloutKind
from bluegreen.model.store import CatalogueChange
from bluegreen.model.strategy import OnSilent, Step, Strategy
from bluegreen.model.traffic_report import TrafficReport
from bluegreen.model.verdict import Finding, Verdict
from bluegreen.rollout import commands, gate_commands, migration_commands
from bluegreen.rollout.decision import decide
from bluegreen.rollout.deploy_command import deploy
from bluegreen.rollout.draft import Change, Decide, Draft
from bluegreen.rollout.migration_runs import conclude
from bluegreen.rollout.operations import DeployCommand, MigrateCommand
from bluegreen.rollout.proof import routes_acknowledged
from bluegreen.rollout.retire_command import retire
from bluegreen.rollout.retry_command import retry
from bluegreen.rollout.wanted_traffic import wanted_traffic
from deployment_store import SqliteStore
from tests.rollout.facts import shop
from tests.rollout.migrating import DATABASE, TESTED
from tests.rollout.simulated_switch import SimulatedSwitch
from tests.rollout.test_crash_points import EDGE

STEPS = 200
ANNA = Origin("anna")
STRATEGY = Strategy((Step(50), Step(100)), on_silent=OnSilent.TURN_BACK)
SHOP = replace(shop(STRATEGY), gates=TESTED, database=DATABASE)
VERSIONS = tuple(f"v{number}" for number in range(1, 31))
"""Each brings one more change of the schema than the one before; v1 none."""

NOT_YET = (Status.EXPANDING, Status.RETIRED, Status.FAILED)


class Time:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> float:
        return self.seconds


class World:
    """One service, and everybody around it. What happens next, `chance` says."""

    def __init__(self, store: SqliteStore, aggregate: ServiceAggregate, chance: random.Random) -> None:
        self.store, self.aggregate, self.chance = store, aggregate, chance
        self.time = Time()
        self.fleet = SimulatedSwitch(self.time)
        self.fleet.restore({}, {"shop": wanted_traffic(aggregate)})
        self.database: list[AppliedMigration] = []
        self.said: list[str] = []

    # --- the control plane ---

    async def ask(self, decide_on: Decide) -> str:
        """An operator's command; what is refused changes nothing."""
        draft = Draft(self.aggregate, self.time.now(), ANNA, self.report)
        try:
            sentence = decide_on(draft)
        except (Refused, InvalidInput) as refused:
            return f"{refused}"
        await self._record(draft.change(sentence))
        return sentence

    async def decide(self) -> None:
        """Take the decisions that the facts allow."""
        for _ in range(50):
            step = decide(self.aggregate, self.report, self.time.now())
            if not isinstance(step, Change):
                return
            await self._record(step)
        raise AssertionError(f"decides for ever: {self.said[-5:]}")

    async def restart(self) -> None:
        loaded = await self.store.load("shop")
        assert replace(loaded, checks=()) == replace(self.aggregate, checks=())
        self.aggregate = loaded
        self.fleet.restore({}, {"shop": wanted_traffic(loaded)})

    @property
    def report(self) -> TrafficReport:
        return self.fleet.observe("shop")

    async def _record(self, change: Change) -> None:
        if not change.events:
            assert change.aggregate == self.aggregate
            return
        before = self.aggregate
        self.said.append(change.sentence)
        self.aggregate = await self.store.compare_and_set(change.aggregate, before.revision, change.events)
        if wanted_traffic(self.aggregate) != wanted_traffic(before):
            self.fleet.prepare(wanted_traffic(self.aggregate))
        self.check(before)

    # --- the others ---

    async def run(self, verdict: Verdict = Verdict.PASS) -> None:
        """The run under way comes to its end, by the rules of the ledger."""
        run = self.aggregate.open_run
        if run is None or run.begun_at is None:
            return
        files = files_of(run.version)
        order = MigrationOrder(
            "shop", run.version, run.phase, DATABASE, run.author, self.aggregate.ledger, run.accept_drift
        )
        comparison = compare(files, LedgerEntries(tuple(self.database)), order)
        reasons = (*comparison.problems, *comparison.waits(run.phase))
        verdict = Verdict.FAIL if reasons else verdict
        if verdict is Verdict.PASS:
            for file in of_phase(comparison.pending, run.phase):
                self.check_apply(file.migration)
                self.database.append(
                    AppliedMigration(
                        file.migration, file.checksum, run.version, run.author, self.time.now(), 0.1
                    )
                )
        done = {each.migration for each in self.database}
        left = [file.migration for file in files if file.migration not in done]
        outcome = MigrationOutcome(
            verdict,
            next(iter(reasons), "done"),
            ledger=tuple(self.database),
            backfills_left=tuple(each for each in left if each.phase is Phase.BACKFILL),
            contracts_left=tuple(each for each in left if each.phase is Phase.CONTRACT),
        )
        await self.ask(partial(conclude, run=run.id, outcome=outcome))

    async def answer(self, verdict: Verdict = Verdict.PASS) -> None:
        check = next((each for each in self.aggregate.checks if each.is_open), None)
        if check is not None:
            said = (Finding("home", verdict, "so it is"),)
            await self.ask(partial(gate_commands.conclude, check=check.id, findings=said, verdict=verdict))

    # --- what must hold ---

    def check(self, before: ServiceAggregate) -> None:
        """After each change."""
        now, then = self.aggregate, before
        begun = now.open_run
        for each in now.deployments:
            if each.status not in NOT_YET:
                self._check_schema(each)
        told = {each.revision for each in wanted_traffic(now).backends}
        assert not told & {each.revision for each in now.deployments if each.status is Status.EXPANDING}
        if begun is not None and begun.phase is Phase.CONTRACT and begun.begun_at is not None:
            others = [each for each in now.deployments if each != now.active]
            assert not any(each.status.is_open or each.is_held for each in others), self.said[-5:]
            was = then.open_run
            if was is None or was.begun_at is None:
                assert routes_acknowledged(self.report).passed

    def _check_schema(self, deployment: Deployment) -> None:
        """It can live with the database."""
        known, done = names_of(deployment.version), {each.migration for each in self.database}
        expands = {each for each in known if each.phase is Phase.EXPAND}
        assert expands <= done, f"{deployment.version} is {deployment.status} before its expand"
        contracts = {each for each in done if each.phase is Phase.CONTRACT}
        assert contracts <= known, f"{deployment.version} is {deployment.status} after {contracts - known}"
        if deployment.status in (Status.SHIFTING, Status.ACTIVE):
            backfills = {each for each in known if each.phase is Phase.BACKFILL}
            assert backfills <= done, f"{deployment.version} is {deployment.status} before its backfill"

    def check_apply(self, name: MigrationName) -> None:
        if name.phase is Phase.CONTRACT:
            for each in self.aggregate.deployments:
                assert not each.is_held or name in names_of(each.version)


def names_of(version: str) -> set[MigrationName]:
    numbers = range(1, VERSIONS.index(version) + 1)
    return {MigrationName(number, f"change{number}", phase) for number in numbers for phase in Phase}


def files_of(version: str) -> tuple[MigrationFile, ...]:
    ordered = sorted(names_of(version), key=lambda each: (each.number, tuple(Phase).index(each.phase)))
    return tuple(MigrationFile(each, Path(f"{each}.sql"), "", f"{each.number:064x}") for each in ordered)


def some_verb(world: World) -> Decide:
    """What anybody may ask for; what leads on is asked for more often."""
    chance = world.chance
    active = world.aggregate.active
    at = VERSIONS.index(active.version) if active else chance.randrange(3)
    version = VERSIONS[max(0, min(at + chance.choice((-1, 0, 1, 1, 1, 1, 2)), len(VERSIONS) - 1))]

    def flag() -> bool:
        return chance.random() < 0.5

    def migrated(phase: Phase) -> Decide:
        named = chance.choice(("", "", "", version)) if phase is not Phase.EXPAND else version
        command = MigrateCommand("shop", phase, named, retire_standby=flag())
        return partial(migration_commands.migrate, command=command)

    newest = max(world.aggregate.deployments, key=lambda each: each.revision, default=None)
    onward: list[Decide] = [
        partial(deploy, command=DeployCommand("shop", version, (), flag())),
        partial(commands.promote, full=flag()),
        partial(commands.promote, full=flag()),
        migrated(Phase.BACKFILL),
        migrated(Phase.CONTRACT),
    ]
    others: list[Decide] = [
        commands.pause,
        commands.resume,
        commands.abort,
        partial(commands.rollback, force=flag()),
        partial(retry, newest=newest),
        partial(gate_commands.run_tests, active=flag()),
        migration_commands.stop,
        migrated(Phase.EXPAND),
    ]
    if chance.random() < 0.01:
        return partial(retire, confirmed=True)
    return chance.choice(onward if chance.random() < 0.75 else others)


async def random_step(world: World) -> None:
    chance = world.chance
    verdict = chance.choice((*[Verdict.PASS] * 8, Verdict.FAIL, Verdict.ERROR))
    match chance.choices(range(6), (8, 6, 5, 2, 2, 1))[0]:
        case 0:
            await world.ask(some_verb(world))
        case 1:
            await world.run(verdict)
        case 2:
            await world.answer(verdict)
        case 3:
            world.time.seconds += chance.choice((0.1, 20.0, 4000.0))
        case 4 if chance.random() < 0.3:
            world.fleet.silent.add("edge-2")
        case 4:
            world.fleet.speak("edge-2")
        case _:
            await world.restart()
    if chance.random() < 0.9:
        await world.decide()


async def settle(world: World) -> None:
    """Everybody answers, and well, until nothing moves any more."""
    world.fleet.speak("edge-2")
    for _ in range(40):
        before = world.aggregate.revision
        for _ in range(4):
            await world.decide()
            await world.run()
            await world.answer()
            world.time.seconds += 20.0
        if world.aggregate.revision == before:
            return
    raise AssertionError(f"does not come to rest: {world.said[-8:]}")


async def release_newest(world: World) -> None:
    """From any state, documented verbs lead to the newest version, with all of its schema."""
    said: list[str] = []
    await settle(world)
    rollout = world.aggregate.open_rollout
    if rollout is not None:
        assert rollout.kind is RolloutKind.PROMOTE
        await world.ask(commands.abort)
        await settle(world)
    active = world.aggregate.active
    if active is None or active.version != VERSIONS[-1]:
        said.append(await world.ask(commands.abort))
        await settle(world)
        said.append(await world.ask(partial(deploy, command=DeployCommand("shop", VERSIONS[-1], (), True))))
        await settle(world)
        command = MigrateCommand("shop", Phase.BACKFILL)
        said.append(await world.ask(partial(migration_commands.migrate, command=command)))
        await settle(world)
        said.append(await world.ask(partial(commands.promote, full=True)))
        await settle(world)
    elif any(each.status is Status.READY for each in world.aggregate.deployments):
        said.append(await world.ask(commands.abort))
        await settle(world)
    active = world.aggregate.active
    assert active is not None, said
    assert active.version == VERSIONS[-1], said
    command = MigrateCommand("shop", Phase.CONTRACT, retire_standby=True)
    said.append(await world.ask(partial(migration_commands.migrate, command=command)))
    for _ in range(4):
        world.time.seconds += 4000.0
        await settle(world)
    assert {each.migration for each in world.database} == names_of(VERSIONS[-1]), said


@pytest.mark.parametrize("seed", range(6))
async def test_any_verb_at_any_time(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with SqliteStore.open(tmp_path / "store.db") as store:
        change = CatalogueChange(gateways=(EDGE,), services=(SHOP,))
        await store.change_catalogue(change, [])
        world = World(store, await store.load("shop"), chance)
        for _ in range(STEPS):
            await random_step(world)
        await release_newest(world)
