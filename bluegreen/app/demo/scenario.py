"""The story of the demo, all under load: a release, its rollback, the release again in steps, and then three
bad versions."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bluegreen.app.demo.bad_versions import BadVersions
from bluegreen.app.demo.load_plan import LoadPlan, Target
from bluegreen.app.demo.load_process import LoadProcess
from bluegreen.app.demo.load_report import LoadReport
from bluegreen.app.demo.operations import Operations, Version
from bluegreen.app.demo.processes import ChildProcesses
from bluegreen.app.demo.service_file import LOOPBACK

RATE = 400.0
"""Requests per second over both Envoys."""

BREATH = 2.0
"""Seconds of load between two acts, so that each is seen in the figures."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Plays what operations there are on the stage that they have."""

    operations: Operations
    children: ChildProcesses

    async def play(self) -> LoadReport:
        """The whole story; returns what the load saw. Raises DemoFailed, ChildFailed or grpc.RpcError."""
        await self.operations.set_up()
        async with self.operations.watch.following():
            v1 = await self._deploy("v1")
            await self.operations.promote(v1, "first traffic for v1", full=True)
            load = await self._begin_load()
            await asyncio.sleep(BREATH)
            await self._release(v1)
            await self._bad_versions(BadVersions(self.operations, load), v1)
            self.operations.view.say("v2 has all traffic, and none of the bad versions any. The load ends")
            return await load.stop()

    async def _release(self, v1: Version) -> None:
        v2 = await self._deploy("v2")
        await self.operations.check_preview(v2)
        await self.operations.promote(v2, "atomic switch to v2", full=True)
        await asyncio.sleep(BREATH)
        await self.operations.rollback(v1)
        await self.operations.drained(v2, "v2, after the rollback")

        again = await self._deploy("v2", replace_standby=True)
        await self.operations.check_preview(again)
        await self.operations.promote(again, "v2 in steps", full=False)
        await self.operations.drained(v1, "v1, after the release")
        await self.operations.stopped(v2, "The v2 that was replaced")

    async def _bad_versions(self, acts: BadVersions, v1: Version) -> None:
        v3 = await acts.fails_its_test("v3")
        v4 = await acts.turned_back("v4", "answers 2 % errors")
        v5 = await acts.turned_back("v5", "turns slow")
        for version in (v3, v4, v5):
            acts.count(version, await self.operations.stopped(version, version.name))
        await self.operations.stopped(v1, "v1")

    async def _deploy(self, name: str, *, replace_standby: bool = False) -> Version:
        version = await self.operations.deploy(name, replace_standby=replace_standby)
        await self.operations.ready(version)
        return version

    async def _begin_load(self) -> LoadProcess:
        view = self.operations.view
        view.say(f"Load: {RATE:.0f} requests/s through both Envoys, from a process of its own")
        production = self.operations.stage.ports.production
        plan = LoadPlan(tuple(Target(LOOPBACK, port) for port in production.values()), rate=RATE)
        return await LoadProcess.start(self.children, plan, view.load_reported)
