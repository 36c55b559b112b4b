"""A release that changes the schema, crashed at every boundary between two effects: each file is applied
once, in order, and the schema is contracted when the fleet leads to the new version alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.event import What
from bluegreen.model.migration import Phase
from bluegreen.rollout.controller import Controller
from bluegreen.rollout.operations import DeployCommand, MigrateCommand
from deployment_store import SqliteStore
from tests.rollout.crashing import Boundaries
from tests.rollout.migrating import DATABASE
from tests.rollout.scripted_migrator import SPLIT, ScriptedMigrator
from tests.rollout.test_crash_points import ANNA, EVERYTHING, SHOP, Operator, _status, _until

WHOLE = [str(SPLIT[phase]) for phase in Phase]


class Migration(Operator):
    """v1, then v2 with a change of the schema in all of its phases."""

    service = replace(SHOP, database=DATABASE)

    def __init__(self, path: Path, crash_at: int) -> None:
        super().__init__(path, crash_at)
        self.database = ScriptedMigrator()
        self.migrator = self.database
        self.routed_at_contract: list[set[str]] = []

    def begin(self, boundaries: Boundaries) -> None:
        life = ScriptedMigrator(lambda where: self._pass(boundaries, where))
        life.ledger = self.database.ledger
        self.migrator = self.database = life

    def _pass(self, boundaries: Boundaries, where: str) -> None:
        if where == "before contract":
            _, traffic = self.fleet.told[-1]
            self.routed_at_contract.append({each.environment.value for each in traffic.backends})
        boundaries.passing(where)

    async def _story(self, controller: Controller) -> None:
        await _until(controller, lambda: True)
        if controller.aggregate("shop").last_deployment_revision < 1:
            await controller.deploy(DeployCommand("shop", "v1"), ANNA)
        if not _contracted(controller):
            if _status(controller, 1) is not None and controller.aggregate("shop").active is None:
                await self._promoted(controller, 1)
            if controller.aggregate("shop").last_deployment_revision < 2:
                await controller.deploy(DeployCommand("shop", "v2"), ANNA)
            await self._filled(controller)
            await self._promoted(controller, 2)
            if _is_free(controller):
                command = MigrateCommand("shop", Phase.CONTRACT, retire_standby=True)
                await controller.migrate(command, ANNA)
        await _until(controller, lambda: len(controller.aggregate("shop").ledger) == 3)
        await _until(controller, lambda: controller.aggregate("shop").open_run is None)

    async def _filled(self, controller: Controller) -> None:
        await _until(controller, lambda: _status(controller, 2) not in (None, "expanding", "deploying"))
        if _status(controller, 2) == "ready" and _is_free(controller):
            await controller.migrate(MigrateCommand("shop", Phase.BACKFILL), ANNA)
        await _until(controller, lambda: len(controller.aggregate("shop").ledger) >= 2)


def _is_free(controller: Controller) -> bool:
    aggregate = controller.aggregate("shop")
    wanted = Phase.BACKFILL if _status(controller, 2) == "ready" else Phase.CONTRACT
    runs = [each for each in aggregate.migration_runs if each.phase is wanted and each.version == "v2"]
    return aggregate.open_run is None and not any(each.has_passed for each in runs)


def _contracted(controller: Controller) -> bool:
    runs = controller.aggregate("shop").migration_runs
    return any(each.phase is Phase.CONTRACT for each in runs)


async def boundaries_of_the_story(path: Path) -> list[str]:
    whole = Migration(path, crash_at=EVERYTHING)
    await whole.play()
    assert whole.lives == 1
    return whole.boundaries.passed


async def test_the_story_has_boundaries_of_every_kind(tmp_path: Path) -> None:
    passed = await boundaries_of_the_story(tmp_path / "store.db")
    assert 40 < len(passed) < EVERYTHING
    assert {"before expand", "after backfill", "after contract", "before writing migration-begun"} <= set(
        passed
    )


@pytest.mark.parametrize("tenth", range(10))
async def test_crashed_at_every_boundary_each_file_is_applied_once(tmp_path: Path, tenth: int) -> None:
    whole = len(await boundaries_of_the_story(tmp_path / "whole.db"))
    for crash_at in range(1 + tenth, whole + 1, 10):
        path = tmp_path / f"{crash_at}.db"
        operator = Migration(path, crash_at)
        await operator.play()
        where = operator.boundaries.passed[-1]
        assert operator.lives == 2, where
        assert operator.database.applied() == WHOLE, where
        assert all(routed == {"green"} for routed in operator.routed_at_contract), where
        await check_history(path, where)


async def check_history(path: Path, where: str) -> None:
    """Nothing was wanted, begun or reached twice, and nothing was contracted too early."""
    async with SqliteStore.open(path) as store:
        aggregate = await store.load("shop")
        assert [str(each.migration) for each in aggregate.ledger] == WHOLE, where
        runs = [(each.phase.value, each.version, each.has_passed) for each in aggregate.migration_runs]
        assert runs == [
            ("expand", "v1", True),
            ("expand", "v2", True),
            ("backfill", "v2", True),
            ("contract", "v2", True),
        ], where
        events = await store.events("shop", limit=1000)
        order = [each.what for each in events]
        for what in (What.EXPANDED, What.PREPARED, What.SHIFT_STARTED, What.ACTIVATED):
            revisions = [each.deployment for each in events if each.what is what]
            assert revisions == [1, 2], f"{what} {where}"
        begun = [at for at, what in enumerate(order) if what is What.MIGRATION_BEGUN]
        assert len(begun) == 3, where  # two expands and a contract; a backfill begins with its command
        assert order.index(What.RELEASED) < begun[-1], where
