"""A control plane that was stopped for a while (SIGSTOP, a moved machine) listens before it judges."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bluegreen.model.traffic_report import TrafficReport
from bluegreen.rollout.operations import DeployCommand
from tests.rollout.test_worker import ANNA, LargeFleet, SlowClock, driven, happens

LONGER_THAN_ANY_DEADLINE = 3600.0


class Unheard(LargeFleet):
    """What edge-1 has said while nobody ran is heard right after the first look."""

    was_stopped = False

    def observe(self, service: str) -> TrafficReport:
        report = super().observe(service)
        if self.was_stopped:
            self.was_stopped = False
            asyncio.get_running_loop().call_soon(self.speak, "edge-1")
        return report


async def test_what_was_said_while_it_was_stopped_is_heard_before_a_deadline_ends(tmp_path: Path) -> None:
    clock = SlowClock()
    switch = Unheard(clock)
    async with driven(tmp_path, switch, clock) as controller:
        switch.silent.add("edge-1")
        await controller.deploy(DeployCommand("shop", "v1"), ANNA)
        await happens(controller, "is being deployed: 1 of 2 proxies")
        clock.time += LONGER_THAN_ANY_DEADLINE
        switch.was_stopped = True
        switch.facts_changed("shop")
        await happens(controller, "is ready")
