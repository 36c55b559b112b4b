"""How often a worker looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bluegreen.model.catalogue import Catalogue
from bluegreen.model.event import Origin
from bluegreen.model.traffic_report import TrafficReport
from bluegreen.rollout import worker
from bluegreen.rollout.controller import Controller
from bluegreen.rollout.operations import DeployCommand
from bluegreen.rollout.outside import Outside
from bluegreen.rollout.worker import REST
from deployment_store import SqliteStore
from tests.rollout.scripted_checker import ScriptedChecker
from tests.rollout.simulated_switch import SimulatedSwitch
from tests.rollout.test_controller import EDGE, QUICK
from tests.support.unmigrated import Unmigrated
from tests.support.unprovided import Unprovided

LOOK = 0.02
ANNA = Origin("anna")


class SlowClock:
    """Stands still, except that a look takes LOOK seconds."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def now(self) -> float:
        return self.time


class LargeFleet(SimulatedSwitch):
    """Two proxies of which nobody knows anything fast."""

    def __init__(self, clock: SlowClock) -> None:
        super().__init__(clock)
        self.looks = 0
        self.looked = asyncio.Event()
        self._slow = clock

    def observe(self, service: str) -> TrafficReport:
        self.looks += 1
        self.looked.set()
        self._slow.time += LOOK
        return super().observe(service)


@asynccontextmanager
async def driven(directory: Path, switch: LargeFleet, clock: SlowClock) -> AsyncIterator[Controller]:
    async with (
        SqliteStore.open(directory / "store.db") as store,
        driven_from(store, switch, clock) as controller,
    ):
        yield controller


@asynccontextmanager
async def driven_from(store: SqliteStore, switch: LargeFleet, clock: SlowClock) -> AsyncIterator[Controller]:
    outside = Outside(ScriptedChecker(), Unprovided(), Unmigrated())
    controller = Controller(store, switch, clock, outside)
    await controller.start()
    running = asyncio.ensure_future(controller.run())
    await controller.apply(Catalogue({"edge": EDGE}, {"shop": QUICK}), ANNA)
    yield controller
    running.cancel()
    await asyncio.wait((running,))


async def happens(controller: Controller, what: str) -> None:
    """The worker says it."""
    waits = controller.decisions()
    async with asyncio.timeout(20):
        while what not in controller.view("shop").activity:
            await anext(waits)


async def test_facts_that_come_in_a_rush_are_looked_at_together(tmp_path: Path) -> None:
    clock = SlowClock()
    switch = LargeFleet(clock)
    async with driven(tmp_path, switch, clock) as controller:
        switch.silent.update({"edge-1", "edge-2"})
        await controller.deploy(DeployCommand("shop", "v1"), ANNA)
        await happens(controller, "is being deployed")
        before, rush = switch.looks, 2.5 * REST * LOOK
        loop = asyncio.get_running_loop()
        end = loop.time() + rush
        while loop.time() < end:
            switch.facts_changed("shop")
            await asyncio.sleep(0)
        assert 1 <= switch.looks - before <= 4


async def test_a_command_does_not_wait_for_the_end_of_a_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SlowClock()
    switch = LargeFleet(clock)
    async with driven(tmp_path, switch, clock) as controller:
        switch.silent.update({"edge-1", "edge-2"})
        await controller.deploy(DeployCommand("shop", "v1"), ANNA)
        await happens(controller, "is being deployed")
        rest_for_ever(monkeypatch)
        await looked(switch)
        await controller.abort("shop", ANNA)
        await happens(controller, "leaves the routes")


async def test_what_was_published_is_not_looked_for_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SlowClock()
    switch = LargeFleet(clock)
    async with driven(tmp_path, switch, clock) as controller:
        await controller.deploy(DeployCommand("shop", "v1"), ANNA)
        await happens(controller, "is ready")
        rest_for_ever(monkeypatch)
        before, told, waits = switch.looks, len(switch.told), controller.decisions()
        await controller.promote("shop", ANNA)
        assert switch.looks == before, "a promotion asks nothing of the proxies"
        async with asyncio.timeout(20):
            while len(switch.told) == told:
                await anext(waits)
        for _ in range(10):
            await asyncio.sleep(0)
        assert switch.looks == before + 1


def rest_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "REST", 1e6)
    monkeypatch.setattr(worker, "LONGEST_REST", 1e6)


async def looked(switch: LargeFleet) -> None:
    """The worker has looked once more, and rests."""
    switch.looked.clear()
    switch.facts_changed("shop")
    async with asyncio.timeout(20):
        await switch.looked.wait()
