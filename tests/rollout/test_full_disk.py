"""What cannot be recorded is tried again at its own pace, however fast the facts come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bluegreen.model.aggregate import ServiceAggregate
from bluegreen.model.command import TakenCommand
from bluegreen.model.errors import NotServing
from bluegreen.model.event import Event
from bluegreen.rollout.operations import DeployCommand
from bluegreen.rollout.worker import RETRY_AFTER
from deployment_store import SqliteStore
from tests.rollout.test_worker import ANNA, LargeFleet, SlowClock, driven_from, happens


class Disk(SqliteStore):
    """A store that may be full; `tries` are those to write in vain."""

    is_full = False
    tries = 0

    async def compare_and_set(
        self,
        aggregate: ServiceAggregate,
        expected_revision: int,
        events: Sequence[Event],
        command: TakenCommand | None = None,
    ) -> ServiceAggregate:
        if self.is_full:
            self.tries += 1
            raise NotServing("the disk is full")
        return await super().compare_and_set(aggregate, expected_revision, events, command)


async def test_on_a_full_disk_facts_make_no_tries(tmp_path: Path) -> None:
    clock = SlowClock()
    switch = LargeFleet(clock)
    async with (
        Disk.open(tmp_path / "store.db") as disk,
        driven_from(disk, switch, clock) as controller,
    ):
        switch.silent.update({"edge-1", "edge-2"})
        await controller.deploy(DeployCommand("shop", "v1"), ANNA)
        await happens(controller, "is being deployed")
        disk.is_full = True
        for proxy in ("edge-1", "edge-2"):
            switch.speak(proxy)
        await happens(controller, "the disk is full")
        loop = asyncio.get_running_loop()
        end = loop.time() + RETRY_AFTER / 2
        while loop.time() < end:
            switch.facts_changed("shop")
            await asyncio.sleep(0)
        assert disk.tries <= 3
        disk.is_full = False
        await happens(controller, "is ready")
