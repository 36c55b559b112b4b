"""How often a worker looks."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bluegreen.model.catalogue import Catalogue
from bluegreen.model.event import Origin
from bluegreen.model.traffic_report import TrafficReport
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
        self._slow = clock

    def observe(self, service: str) -> TrafficReport:
        self.looks += 1
        self._slow.time += LOOK
        return super().observe(service)


async def test_facts_that_come_in_a_rush_are_looked_at_together(tmp_path: Path) -> None:
    clock = SlowClock()
    switch = LargeFleet(clock)
    async with SqliteStore.open(tmp_path / "store.db") as store:
        controller = Controller(store, switch, clock, Outside(ScriptedChecker(), Unprovided(), Unmigrated()))
        await controller.start()
        running = asyncio.ensure_future(controller.run())
        await controller.apply(Catalogue({"edge": EDGE}, {"shop": QUICK}), ANNA)
        switch.silent.update({"edge-1", "edge-2"})
        waits = controller.decisions()
        await controller.deploy(DeployCommand("shop", "v1"), ANNA)
        while "is being deployed" not in controller.view("shop").activity:
            await anext(waits)
        before, rush = switch.looks, 2.5 * REST * LOOK
        loop = asyncio.get_running_loop()
        end = loop.time() + rush
        while loop.time() < end:
            switch.facts_changed("shop")
            await asyncio.sleep(0)
        assert 1 <= switch.looks - before <= 4
        running.cancel()
        await asyncio.wait((running,))
