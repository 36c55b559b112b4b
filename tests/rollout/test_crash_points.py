"""Crashed at every single boundary between two effects, a release still ends as it was promised.

The fleet lives on between the crash and the restart, as real proxies do. After each restart the operator
looks at the status, and repeats what was not taken up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bluegreen.model.acceptance_test import HttpTest
from bluegreen.model.catalogue import Catalogue
from bluegreen.model.endpoint import Endpoint
from bluegreen.model.event import Origin, What
from bluegreen.model.gates import Gates
from bluegreen.model.gateway import Gateway
from bluegreen.model.hook import Hook, Moment
from bluegreen.model.migration import Migrator
from bluegreen.model.service import Drain
from bluegreen.model.strategy import Step, Strategy
from bluegreen.rollout.clock import SystemClock
from bluegreen.rollout.controller import Controller
from bluegreen.rollout.operations import DeployCommand
from bluegreen.rollout.outside import Outside
from deployment_store import SqliteStore
from tests.rollout.crashing import Boundaries, Crash, CrashingStore, CrashingSwitch
from tests.rollout.facts import shop
from tests.rollout.scripted_checker import ScriptedChecker
from tests.rollout.simulated_switch import SimulatedSwitch
from tests.support.unmigrated import Unmigrated
from tests.support.unprovided import Unprovided

ANNA = Origin("anna")
EDGE = Gateway("edge", Endpoint("127.0.0.1", 10000), Endpoint("127.0.0.1", 10001))
STEPS = Strategy((Step(10, pause=0.0), Step(50, pause=0.0), Step(100)))
HOOKS = tuple(Hook(moment, moment, command=("true",)) for moment in Moment)
GATES = Gates(tests=(HttpTest("home"),), hooks=HOOKS)
SHOP = replace(shop(STEPS), drain=Drain(grace=0.0, deadline=30.0), gates=GATES)
EVERYTHING = 200
"""More boundaries than the story has; asserted below."""


class Operator:
    """Drives one story through however many control planes it takes."""

    service = SHOP

    def __init__(self, path: Path, crash_at: int) -> None:
        self.fleet = SimulatedSwitch(SystemClock())
        self.boundaries = Boundaries(crash_at)
        self.lives = 0
        self.checker = ScriptedChecker()
        self.migrator: Migrator = Unmigrated()
        self._path = path

    async def play(self) -> None:
        while not await self._one_life():
            assert self.lives < 3, "crashes although it should not"

    async def _one_life(self) -> bool:
        """Whether the story came to its end before a crash."""
        self.lives += 1
        boundaries = self.boundaries if not self.boundaries.crashed else Boundaries(0)
        self.begin(boundaries)
        async with SqliteStore.open(self._path) as store:
            self.fleet.deaf()
            controller = Controller(
                CrashingStore(store, boundaries),
                CrashingSwitch(self.fleet, boundaries),
                SystemClock(),
                Outside(self.checker, Unprovided(), self.migrator),
            )
            try:
                await controller.start()
                await controller.apply(Catalogue({"edge": EDGE}, {"shop": self.service}), ANNA)
            except Crash:
                return False
            return await self._lead(controller)

    def begin(self, boundaries: Boundaries) -> None:
        """A life begins."""

    async def _lead(self, controller: Controller) -> bool:
        work = (self._story(controller), controller.run(), self.fleet.report_now_and_then())
        tasks = [asyncio.ensure_future(each) for each in work]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, BaseException) and not _is_crash(outcome):
                raise outcome
        return ended[0] is None

    async def _story(self, controller: Controller) -> None:
        """v1, then v2 in steps, then back to v1; each command only where its outcome is not there yet."""
        await _until(controller, lambda: True)
        if _status(controller, 1) is None:
            await controller.deploy(DeployCommand("shop", "v1"), ANNA)
        await self._promoted(controller, 1)
        if _status(controller, 2) is None:
            await controller.deploy(DeployCommand("shop", "v2"), ANNA)
        if not _rolled_back(controller):
            await self._promoted(controller, 2)
            await controller.rollback("shop", ANNA)
        # What is asked after the rollback is answered before it has drained, or later: both are waited for.
        await _until(
            controller,
            lambda: (
                (_status(controller, 1), _status(controller, 2)) == ("active", "standby")
                and not any(each.is_open for each in controller.view("shop").aggregate.checks)
            ),
        )

    async def _promoted(self, controller: Controller, revision: int) -> None:
        await _until(
            controller, lambda: _status(controller, revision) not in (None, "expanding", "deploying")
        )
        if _status(controller, revision) == "ready":
            await controller.promote("shop", ANNA)
        await _until(controller, lambda: _status(controller, revision) not in ("ready", "shifting"))


def _is_crash(outcome: BaseException) -> bool:
    if isinstance(outcome, BaseExceptionGroup):
        return all(_is_crash(each) for each in outcome.exceptions)
    return isinstance(outcome, Crash | asyncio.CancelledError)


def _status(controller: Controller, revision: int) -> str | None:
    deployments = controller.view("shop").aggregate.deployments
    return next((each.status.value for each in deployments if each.revision == revision), None)


def _rolled_back(controller: Controller) -> bool:
    rollout = controller.view("shop").aggregate.rollout
    return rollout is not None and rollout.kind == "rollback"


async def _until(controller: Controller, holds: Callable[[], bool]) -> None:
    changes = controller.changes()
    async with asyncio.timeout(30):
        while not holds():
            await anext(changes)


async def boundaries_of_the_story(path: Path) -> list[str]:
    whole = Operator(path, crash_at=EVERYTHING)
    await whole.play()
    assert whole.lives == 1
    return whole.boundaries.passed


async def test_the_story_has_boundaries_of_every_kind(tmp_path: Path) -> None:
    passed = await boundaries_of_the_story(tmp_path / "store.db")
    assert 40 < len(passed) < EVERYTHING
    assert {"after prepare", "after set_weights", "before writing weight-set"} <= set(passed)


@pytest.mark.parametrize("tenth", range(10))
async def test_crashed_at_every_boundary_it_ends_as_it_was_promised(tmp_path: Path, tenth: int) -> None:
    whole = len(await boundaries_of_the_story(tmp_path / "whole.db"))
    for crash_at in range(1 + tenth, whole + 1, 10):
        path = tmp_path / f"{crash_at}.db"
        operator = Operator(path, crash_at)
        await operator.play()
        where = operator.boundaries.passed[-1]
        assert operator.lives == 2, where
        assert operator.fleet.weights() == {"blue": 100, "green": 0}, where
        await check_history(path, where)
        check_what_the_fleet_heard(operator.fleet, where)


async def check_history(path: Path, where: str) -> None:
    """Nothing happened twice: no weight was set again, no status was reached again."""
    async with SqliteStore.open(path) as store:
        events = await store.events("shop", limit=1000)
        weights = [(each.rollout, each.after) for each in events if each.what is What.WEIGHT_SET]
        assert weights == [(1, "100"), (2, "10"), (2, "50"), (2, "100"), (3, "100")], where
        for what in (What.PREPARED, What.SHIFT_STARTED, What.ACTIVATED):
            revisions = [each.deployment for each in events if each.what is what]
            assert revisions == [1, 2], f"{what} {where}"
        assert [each.id for each in await store.rollouts("shop")] == [3, 2, 1], where


def check_what_the_fleet_heard(fleet: SimulatedSwitch, where: str) -> None:
    """Weights moved forward and, once, back; a restart repeated the last word and nothing else."""
    heard = [
        weights["green"]
        for _, traffic in fleet.told
        if "green" in (weights := {b.environment.value: b.weight for b in traffic.backends if b.routed})
    ]
    distinct = [weight for weight, before in zip(heard, [None, *heard], strict=False) if weight != before]
    assert distinct == [0, 10, 50, 100, 0], where
